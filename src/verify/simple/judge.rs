//! A case by its simple signatures.

use crate::crypto::Provider;
use crate::policy::SignedBy;
use crate::verify::archive::Archive;
use crate::verify::finding::Finding;
use crate::verify::judge::{CANDIDATE, Case, Next, Round};
use crate::verify::question::{Names, Order, Wants, Who};
use crate::verify::report::Requirement as Judgement;
use crate::verify::rules::PolicyRules;
use alloc::collections::BTreeSet;
use alloc::format;

impl<'a, A: Archive, P: Provider> Case<'a, A, P> {
    /// podman copies signatures with the image, whatever was demanded: one in a lookaside that
    /// cannot be read ends that (docs/containers-image.md section 4).
    pub(in crate::verify) async fn unread(&mut self) -> Option<Judgement> {
        if !self.judge.rules.copies_simple(self.judge.name) {
            return None;
        }
        let trouble = self.load_simple().await?;
        let message = format!("reading signatures: {}", trouble.message);
        Some(Judgement::decided("signatures", trouble.in_words(message)))
    }

    /// As containers/image: all signatures are loaded before one is judged, attachments included,
    /// and whatever cannot be read is fatal. With a member of ours it is passed over, as in
    /// [`Self::by_all_evidence`].
    pub(in crate::verify) async fn signed_by(
        &mut self,
        kind: &str,
        signed: &'a SignedBy,
        rules: &'a PolicyRules,
    ) -> Judgement {
        let is_fatal = !signed.is_ours();
        if is_fatal && let Some(trouble) = self.load_simple().await {
            return Judgement::decided(kind, trouble);
        }
        let keys = rules.keyrings.trusted_by(signed);
        let who = Who::GpgKeys(keys.as_ref());
        let wants = Wants::Signature(Names::Matched(&signed.identity));
        let mut round = Round::new(self.question(who, wants, Order::ContainersImage));
        let (mut seen, mut number) = (BTreeSet::new(), 0_usize);
        while let Some(found) = self
            .simple
            .candidate(number, &mut self.evidence.fetched)
            .await
        {
            number = number.saturating_add(1);
            if (is_fatal || seen.insert(found.key))
                && self.examine(&mut round, &found).await == Next::Stop
            {
                break;
            }
        }
        round.conclude(kind, self.simple.missed())
    }

    /// The first thing that cannot be had or does not read, of simple signatures, and of
    /// attachments where a `registries.d` wants them looked at.
    async fn load_simple(&mut self) -> Option<Finding> {
        let mut number = 0_usize;
        while self.simple.trouble().is_none()
            && let Some(found) = self
                .simple
                .candidate(number, &mut self.evidence.fetched)
                .await
        {
            number = number.saturating_add(1);
            let read = found.size().saturating_add(CANDIDATE);
            self.judge.work.pass(read).await;
        }
        if let Some(trouble) = self.simple.trouble() {
            return Some(trouble);
        }
        if self.judge.rules.attachments(self.judge.name) == Some(true) {
            self.load_attachments().await.err()
        } else {
            None
        }
    }
}
