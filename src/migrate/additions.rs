//! Species and synonyms that step 1.3 adds.

use serde_json::Value;
use uuid::Uuid;

use crate::error::{Error, Result};

/// A species or synonym to add.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Addition {
    /// A new species.
    Species {
        /// Its scientific name.
        name: String,
        /// Its common name.
        common_name: Option<String>,
        /// The species to take its ranks from.
        like: Option<String>,
    },
    /// Another name for a species.
    Synonym {
        /// The name that files use.
        name: String,
        /// The species that it stands for.
        of: String,
    },
}

impl Addition {
    /// Parses species as `NAME` or `NAME=COMMON NAME`, with one `like` for each or none at
    /// all, and synonyms as `NAME=SPECIES`.
    ///
    /// # Errors
    /// A usage error that names the option.
    pub fn parse(species: &[String], like: &[String], synonyms: &[String]) -> Result<Vec<Self>> {
        if !like.is_empty() && like.len() != species.len() {
            return Err(Error::usage("give one --like for each --add-species, or none"));
        }
        let species = species.iter().enumerate().map(|(at, text)| {
            let (name, common_name) = match text.split_once('=') {
                Some((name, common)) => (name.trim(), Some(common.trim().to_owned())),
                None => (text.trim(), None),
            };
            Ok(Addition::Species { name: name.into(), common_name, like: like.get(at).cloned() })
        });
        let synonyms = synonyms.iter().map(|text| match text.split_once('=') {
            Some((name, of)) => {
                Ok(Addition::Synonym { name: name.trim().into(), of: of.trim().into() })
            }
            None => Err(Error::usage(format!("--add-synonym {text:?} is not NAME=SPECIES"))),
        });
        species.chain(synonyms).collect()
    }

    /// The additions of a run, from its arguments in the ledger.
    ///
    /// # Errors
    /// As [`Addition::parse`].
    pub(super) fn recorded(arguments: &Value) -> Result<Vec<Self>> {
        let list = |name: &str| -> Vec<String> {
            let texts = arguments[name].as_array().into_iter().flatten();
            texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
        };
        Addition::parse(&list("add_species"), &list("like"), &list("add_synonym"))
    }

    /// The name that files use.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Addition::Species { name, .. } | Addition::Synonym { name, .. } => name,
        }
    }

    /// Its id in the ledger, the same in every attempt.
    pub(super) fn id(&self, run: Uuid) -> Uuid {
        Uuid::new_v5(&run, self.name().as_bytes())
    }
}

/// Refuses additions that [`Addition::parse`] would not read back unchanged.
pub(super) fn check(additions: &[Addition]) -> Result<()> {
    let [species, like, synonyms] = texts(additions);
    if Addition::parse(&species, &like, &synonyms)? == additions {
        return Ok(());
    }
    Err(Error::usage(
        "additions must be species first, all or none of them with a like, then \
        synonyms; no name may contain = or begin or end with a blank",
    ))
}

/// The three lists that [`Addition::parse`] reads.
pub(super) fn texts(additions: &[Addition]) -> [Vec<String>; 3] {
    let mut texts = [Vec::new(), Vec::new(), Vec::new()];
    let [species, likes, synonyms] = &mut texts;
    for addition in additions {
        match addition {
            Addition::Species { name, common_name, like } => {
                let common = common_name.as_ref().map(|common| format!("={common}"));
                species.push(format!("{name}{}", common.unwrap_or_default()));
                likes.extend(like.clone());
            }
            Addition::Synonym { name, of } => synonyms.push(format!("{name}={of}")),
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn additions_are_read_as_they_are_written() {
        let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let written: [Vec<String>; 3] = [
            strings(&["Ursus maritimus=Polar bear", "Lepus arcticus"]),
            strings(&["Ursus arctos", "Lepus timidus"]),
            strings(&["Thalarctos maritimus=Ursus maritimus"]),
        ];
        let [species, like, synonyms] = &written;
        let additions = Addition::parse(species, like, synonyms).unwrap();
        assert_eq!(texts(&additions), written);
        assert!(Addition::parse(species, &like[..1], &[]).is_err());
        assert!(Addition::parse(&[], &[], species).is_err());
        check(&additions).unwrap();
        let [first, .., synonym] = &additions[..] else { panic!("{additions:?}") };
        let unlike = Addition::Species { name: "a".into(), common_name: None, like: None };
        assert!(check(&[first.clone(), unlike]).is_err());
        assert!(check(&[synonym.clone(), first.clone()]).is_err());
    }
}
