//! Evidence that is taken away: refused exactly where a demanded proof is then lacking, else
//! accepted, and the steps show that it is gone (docs/trust.md section 4).

use crate::edit::alter_at;
use crate::vectors::{self, Accepted, Vector};
use sealgate::internals::crypto::{Outcome, Role, Step};
use serde_json::{Value, json};

/// What may be taken away, together and alone.
const EVIDENCE: [&str; 5] = ["SET", "proof", "checkpoint", "entries", "timestamps"];

fn strip(bundle: &mut Value, what: &str) {
    let material = bundle["verificationMaterial"].as_object_mut().unwrap();
    let mut each_entry = |strip: &dyn Fn(&mut Value)| {
        material
            .get_mut("tlogEntries")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .for_each(strip)
    };
    match what {
        "SET" => {
            each_entry(&|entry| drop(entry.as_object_mut().unwrap().remove("inclusionPromise")))
        }
        "proof" => {
            each_entry(&|entry| drop(entry.as_object_mut().unwrap().remove("inclusionProof")))
        }
        "checkpoint" => each_entry(&|entry| {
            drop(
                entry
                    .get_mut("inclusionProof")
                    .and_then(|proof| proof.as_object_mut()?.remove("checkpoint")),
            )
        }),
        "entries" => drop(material.remove("tlogEntries")),
        "timestamps" => drop(material.remove("timestampVerificationData")),
        other => panic!("{other}?"),
    }
}

/// What is demanded of what is left, as docs/trust.md section 4 has it: the code of the first
/// demand that is not met.
fn demanded(vector: &Vector, bundle: &Value) -> Result<(), &'static str> {
    let material = &bundle["verificationMaterial"];
    let entries = material["tlogEntries"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let is_v01 = bundle["mediaType"]
        .as_str()
        .unwrap()
        .ends_with("version=0.1");
    let has_set = |entry: &&Value| entry["inclusionPromise"].is_object();
    let has_checkpoint = |entry: &&Value| entry["inclusionProof"]["checkpoint"].is_object();
    // What each version of the format must have at all.
    if !entries.iter().all(|entry| {
        if is_v01 {
            has_set(&entry)
        } else {
            has_checkpoint(&entry)
        }
    }) {
        return Err("bundle.shape");
    }
    let listed: Vec<&Value> = entries.iter().filter(|entry| vector.lists(entry)).collect();
    let distinct = |entries: Vec<&&Value>| {
        entries
            .iter()
            .map(|entry| entry["logId"]["keyId"].to_string())
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    let logs = distinct(
        listed
            .iter()
            .filter(|entry| has_checkpoint(entry) || is_v01 && has_set(entry))
            .collect(),
    );
    let integrated = distinct(listed.iter().filter(|entry| has_set(entry)).collect());
    let authorities = usize::from(
        lists_authority(vector)
            && material["timestampVerificationData"]["rfc3161Timestamps"]
                .as_array()
                .is_some_and(|tokens| !tokens.is_empty()),
    );
    let lists_logs = vector.root["tlogs"]
        .as_array()
        .is_some_and(|logs| !logs.is_empty());
    let wanted = vector.thresholds;
    match () {
        () if logs < wanted.logs.max(usize::from(lists_logs)) => Err("sigstore.log"),
        () if authorities < wanted.timestamps => Err("sigstore.timestamps"),
        () if integrated < wanted.integrated || integrated + authorities < wanted.observers => {
            Err("sigstore.times")
        }
        () if !vector.is_keyed() && integrated + authorities == 0 => {
            Err("sigstore.no-trusted-time")
        }
        () => Ok(()),
    }
}

/// Whether the whole bundle shows a timestamp of an authority that this root lists. No vector has
/// those of two.
fn lists_authority(vector: &Vector) -> bool {
    vector.root["timestampAuthorities"]
        .as_array()
        .is_some_and(|list| !list.is_empty())
        && has_role(vector.whole(), Role::TimestampToken)
}

pub(crate) fn has_role(accepted: &Accepted, role: Role) -> bool {
    accepted
        .steps
        .iter()
        .any(|step| matches!(step, Step::Settled(check, Outcome::Holds) if check.role() == role))
}

pub(crate) fn is_waived(accepted: &Accepted, name: &str) -> bool {
    accepted
        .steps
        .iter()
        .any(|step| matches!(step, Step::Waived(rule) if rule.name == name))
}

fn compare(
    name: &str,
    vector: &Vector,
    found: Result<Accepted, String>,
    expected: Result<(), &'static str>,
) -> Option<Accepted> {
    match (&found, expected) {
        (Ok(_), Ok(())) => found.ok(),
        (Err(code), Err(expected)) if vector.tells(code, expected) => None,
        _ => panic!(
            "{name}: {:?}, expected {expected:?}",
            found.map(|accepted| accepted.times)
        ),
    }
}

/// Each set of it: up to 32 for each vector.
#[test]
fn every_set_of_evidence() {
    let (mut kept, mut refused) = (0, 0);
    for vector in vectors::all() {
        let whole = vector.whole();
        let mut seen = Vec::new();
        for set in 0..1 << EVIDENCE.len() {
            let taken: Vec<_> = EVIDENCE
                .iter()
                .enumerate()
                .filter(|(bit, _)| set & (1 << bit) != 0)
                .map(|(_, what)| *what)
                .collect();
            let mut bundle = vector.bundle.clone();
            taken.iter().for_each(|what| strip(&mut bundle, what));
            // Many have nothing of what is taken.
            if seen.contains(&bundle) {
                continue;
            }
            seen.push(bundle.clone());
            let name = format!("{} without {}", vector.name, taken.join(", "));
            let Some(accepted) = compare(
                &name,
                vector,
                vector.judge(&bundle),
                demanded(vector, &bundle),
            ) else {
                refused += 1;
                continue;
            };
            kept += 1;
            for (what, role) in [
                ("SET", Role::SignedEntryTimestamp),
                ("checkpoint", Role::Checkpoint),
                ("proof", Role::Checkpoint),
                ("timestamps", Role::TimestampToken),
            ] {
                let gone =
                    taken.contains(&what) || what != "timestamps" && taken.contains(&"entries");
                assert!(
                    !(gone && has_role(&accepted, role)),
                    "{name}: {} is still there",
                    role.name()
                );
            }
            assert_eq!(accepted.says, whole.says, "{name}");
            assert!(
                accepted.times.iter().all(|time| whole.times.contains(time)),
                "{name}: a time from nowhere"
            );
        }
    }
    assert!(kept > 0 && refused > 0, "one of both was never seen");
}

/// A log that the root does not list: its entries are set aside, and count for nothing.
#[test]
fn entries_of_unlisted_logs() {
    for vector in vectors::all()
        .iter()
        .filter(|vector| !vector.entries().is_empty())
    {
        let own: Vec<Value> = vector
            .entries()
            .iter()
            .map(|entry| entry["logId"]["keyId"].clone())
            .collect();
        // Another log stays, or none does.
        for (others, what) in [(true, "another log"), (false, "no log")] {
            let mut root = vector.root.clone();
            root["tlogs"]
                .as_array_mut()
                .unwrap()
                .retain(|log| others && !own.contains(&log["logId"]["keyId"]));
            if others && root["tlogs"].as_array().unwrap().is_empty() {
                let mut log = vector.root["tlogs"][0].clone();
                alter_at(&mut log, "/logId/keyId");
                root["tlogs"] = json!([log]);
            }
            let vector = vector.under(&root);
            let found = vector.judge(&vector.bundle);
            if let Some(accepted) = compare(
                &format!("{} under {what}", vector.name),
                &vector,
                found,
                demanded(&vector, &vector.bundle),
            ) {
                assert!(
                    is_waived(&accepted, "log.unlisted")
                        && !has_role(&accepted, Role::SignedEntryTimestamp)
                        && !has_role(&accepted, Role::Checkpoint),
                    "{}",
                    vector.name
                );
            }
        }
    }
}

/// An authority that the root does not list: its tokens are set aside.
#[test]
fn tokens_of_unlisted_authorities() {
    let stamped = vectors::all()
        .iter()
        .filter(|vector| has_role(vector.whole(), Role::TimestampToken));
    for vector in stamped {
        let mut root = vector.root.clone();
        root["timestampAuthorities"] = json!([]);
        let vector = vector.under(&root);
        let found = vector.judge(&vector.bundle);
        if let Some(accepted) = compare(
            &vector.name,
            &vector,
            found,
            demanded(&vector, &vector.bundle),
        ) {
            assert!(
                is_waived(&accepted, "timestamp.unlisted")
                    && !has_role(&accepted, Role::TimestampToken),
                "{}",
                vector.name
            );
        }
    }
}

/// A promise cannot be taken out of a certificate. Whether one is demanded follows from the root
/// alone.
#[test]
fn certificate_transparency_follows_the_root() {
    let promised = vectors::all()
        .iter()
        .filter(|vector| has_role(vector.whole(), Role::SignedCertificateTimestamp));
    for vector in promised {
        let mut root = vector.root.clone();
        for log in root["ctlogs"].as_array_mut().unwrap() {
            alter_at(log, "/logId/keyId");
        }
        let other = vector.under(&root);
        let refused = other.judge(&other.bundle).expect_err(&vector.name);
        assert!(
            vector.tells(&refused, "sigstore.sct"),
            "{}: {refused}",
            vector.name
        );
        let mut root = vector.root.clone();
        for log in root["ctlogs"].as_array_mut().unwrap() {
            log["publicKey"]["validFor"] =
                json!({ "start": "2015-01-01T00:00:00Z", "end": "2015-01-02T00:00:00Z" });
        }
        let early = vector.under(&root);
        let refused = early.judge(&early.bundle).expect_err(&vector.name);
        // Where the root has several authorities, why another of them did not issue the certificate
        // may be told instead.
        let lists_one = root["certificateAuthorities"].as_array().unwrap().len() == 1;
        assert!(
            !lists_one || vector.tells(&refused, "sigstore.sct-window"),
            "{}: {refused}",
            vector.name
        );
        root["ctlogs"] = json!([]);
        let none = vector.under(&root);
        let accepted = none.accepted();
        assert!(
            is_waived(&accepted, "sct.not-demanded")
                && !has_role(&accepted, Role::SignedCertificateTimestamp),
            "{}",
            vector.name
        );
    }
}

/// Neither a wrong hint nor none changes anything.
#[test]
fn key_hints_are_no_evidence() {
    for vector in vectors::all() {
        let whole = vector.whole();
        for hint in [json!("another key"), Value::Null] {
            let mut bundle = vector.bundle.clone();
            if let Some(signature) = bundle.pointer_mut("/dsseEnvelope/signatures/0") {
                signature["keyid"] = hint.clone();
            }
            if let Some(key) = bundle.pointer_mut("/verificationMaterial/publicKey") {
                key["hint"] = hint.clone();
            }
            assert_eq!(
                vector.judge(&bundle).as_ref(),
                Ok(whole),
                "{} with the hint {hint}",
                vector.name
            );
        }
    }
}
