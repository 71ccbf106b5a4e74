//! Corrects what a run is expected to take by what its first steps have taken.

use super::outlook::Outlook;
use super::plan::Step;
use super::records::{Ended, StepListener};
use super::state::StepState;

/// Passes everything on to a listener, and tells it when the expectations have changed.
pub(super) struct Correcting<'a> {
    listener: &'a mut dyn StepListener,
    outlook: Option<Outlook>,
    ahead: Vec<Step>,
}

impl<'a> Correcting<'a> {
    /// With what is expected, if it is known, of the steps ahead.
    pub(super) fn new(
        listener: &'a mut dyn StepListener,
        outlook: Option<Outlook>,
        ahead: Vec<Step>,
    ) -> Self {
        if let Some(outlook) = &outlook {
            listener.expects(outlook, &ahead);
        }
        Correcting { listener, outlook, ahead }
    }
}

impl StepListener for Correcting<'_> {
    fn begins(&mut self, step: Step) {
        self.listener.begins(step);
    }

    fn ended(&mut self, step: Step, ended: &Ended<'_>) {
        self.listener.ended(step, ended);
        self.ahead.retain(|ahead| *ahead != step);
        let Some(outlook) = &mut self.outlook else { return };
        if ended.state == StepState::Done && outlook.learn(step, ended.outcome, ended.seconds) {
            self.listener.corrects(outlook, &self.ahead);
        }
    }
}
