//! A statement against the question: the image that it is about, the conditions on its predicate,
//! and its age (docs/trust.md section 6).

use super::error::VerifyError;
use super::question::{Question, Wants};
use crate::crypto::{Refused, Rule, Verified};
use crate::error::Failure;
use crate::policy::Condition;
use crate::sigstore::statement::Statement;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

impl Question<'_> {
    /// The statement is about another image.
    pub(super) fn other_subject(&self) -> VerifyError {
        VerifyError::Subject {
            digest: self.subject.digest.to_string(),
        }
    }

    /// The statement names the digest of the bytes in hand.
    pub(super) fn judge_subject<T>(
        &self,
        verified: Verified<T>,
        statement: impl Fn(&T) -> &Statement,
    ) -> Result<Verified<T>, Refused> {
        let rule = Rule::new(
            "digest.equals",
            format!("the statement is about {}", self.subject.digest),
        );
        verified.check(rule, |claim| {
            if statement(&claim).is_about(&self.subject.bytes) {
                Ok(claim)
            } else {
                Err(self.other_subject().into())
            }
        })
    }

    /// Conditions and age of an attestation; `since` is when its signer's certificate began.
    pub(super) fn judge_statement<T>(
        &self,
        verified: Verified<T>,
        statement: impl Fn(&T) -> &Statement,
        since: Option<UnixTime>,
    ) -> Result<Verified<T>, Refused> {
        let Wants::Statement {
            conditions,
            max_age,
            ..
        } = self.wants
        else {
            return Ok(verified);
        };
        let verified = match conditions {
            [] => verified,
            _ => verified.check(
                Rule::new(
                    "attestation.conditions",
                    "the predicate says all that the policy demands",
                ),
                |claim| check_conditions(statement(&claim), conditions, self.now).map(|()| claim),
            )?,
        };
        let Some(limit) = max_age else {
            return Ok(verified);
        };
        let rule = Rule::new(
            "attestation.age",
            format!("the signer's certificate began at most {limit} seconds ago"),
        );
        verified.check(rule, |claim| self.check_age(since, limit).map(|()| claim))
    }

    /// From the first second of the certificate on: whoever has a signature can have it logged and
    /// stamped again, and leave the old time out (docs/trust.md section 6).
    fn check_age(&self, since: Option<UnixTime>, limit: u64) -> Result<(), Failure> {
        let since = since.ok_or(VerifyError::NoAge)?;
        let age = self.now.0.saturating_sub(since.0);
        if u64::try_from(age).is_ok_and(|age| age > limit) {
            Err(VerifyError::TooOld { age, limit }.into())
        } else {
            Ok(())
        }
    }

    /// When time alone makes another answer of this one.
    pub(super) fn expires(&self, statement: &Statement, since: Option<UnixTime>) -> Option<i64> {
        let Wants::Statement {
            conditions,
            max_age,
            ..
        } = self.wants
        else {
            return None;
        };
        // At the limit itself it still holds.
        let of_certificate = max_age.zip(since).map(|(limit, since)| {
            since
                .0
                .saturating_add(i64::try_from(limit).unwrap_or(i64::MAX))
                .saturating_add(1)
        });
        conditions
            .iter()
            .filter_map(|condition| condition.ends(statement.predicate.as_ref()))
            .chain(of_certificate)
            .min()
    }
}

fn check_conditions(
    statement: &Statement,
    conditions: &[Condition],
    now: UnixTime,
) -> Result<(), Failure> {
    let failed: Vec<String> = conditions
        .iter()
        .filter(|condition| !condition.holds(statement.predicate.as_ref(), now))
        .map(Condition::describe)
        .collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(VerifyError::Conditions {
            failed: failed.join("; "),
        }
        .into())
    }
}
