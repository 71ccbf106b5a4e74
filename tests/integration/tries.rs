//! How often tests of faults try a fault, and where: `STERNA_FAULTS_TIMES` and `STERNA_FAULTS_SEED`.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// How often a fault is tried, and the random source that decides where.
pub(crate) struct Tries {
    pub(crate) times: u64,
    seed: u64,
    pub(crate) random: ChaCha8Rng,
    /// Commands ended by the fault.
    pub(crate) broken: u64,
}

impl Tries {
    /// As often as `STERNA_FAULTS_TIMES` says, or `usual` by default.
    pub(crate) fn new(usual: u64) -> Self {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
        let seed = number("STERNA_FAULTS_SEED").unwrap_or(13);
        let random = ChaCha8Rng::seed_from_u64(seed);
        Tries { times: number("STERNA_FAULTS_TIMES").unwrap_or(usual), seed, random, broken: 0 }
    }

    /// Prints how many there were.
    pub(crate) fn tell(&self, what: &str) {
        let Tries { times, seed, broken, .. } = self;
        println!("{what}: {times} from seed {seed}, {broken} of them ended the command");
    }
}
