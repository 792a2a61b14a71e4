//! Simple signatures in a document.

use super::document::{signature_path, signatures_path};
use super::recorder::{Collector, Out, WITHHELD};
use crate::digest::Digest;
use crate::limits;
use crate::verify::archive::Archive;
use crate::verify::simple::{Lookaside, SimpleMessage, Stored, listed, written_list};
use alloc::vec::Vec;

impl<A: Archive, O: Out> Collector<'_, A, O> {
    /// The registry's own list, or else the files of the lookaside up to the first that is missing.
    pub(super) async fn simple(&mut self, digest: &Digest, lookaside: Option<&Lookaside>) {
        let path = signatures_path(digest);
        let most = limits::EVIDENCE.min(self.left);
        if !self.is_taken || self.written.contains(&path) {
            return;
        }
        match self.archive.simple_signatures(digest, most).await {
            Ok(Some(list)) => return self.signatures(&path, listed(&list)).await,
            Err(error) => return self.failed(&path, &error).await,
            Ok(None) => self.add_missing(&path).await,
        }
        for number in 1..=limits::LOOKASIDE {
            let path = signature_path(digest, number);
            let most = limits::EVIDENCE.min(self.left);
            if most == 0 {
                return self.full(&path).await;
            }
            let found = (self.archive)
                .simple_signature(lookaside, digest, number, most)
                .await;
            self.out.pause().await;
            match found {
                Ok(Some(blob)) => match Stored::read(&blob).ok() {
                    Some(stored) => match self.published(stored) {
                        Some(stored) => self.add_body(&path, "", &stored.written()).await,
                        None => return self.full(&path).await,
                    },
                    None => self.add_error(&path, WITHHELD).await,
                },
                Ok(None) => return self.add_missing(&path).await,
                Err(error) => return self.failed(&path, &error).await,
            }
            if !self.is_taken {
                return;
            }
        }
    }

    /// The registry's list, written anew.
    async fn signatures(&mut self, path: &str, listed: Option<Vec<Vec<u8>>>) {
        let Some(listed) = listed else {
            return self.add_error(path, WITHHELD).await;
        };
        let mut messages = Vec::new();
        for message in listed.into_iter().take(limits::LOOKASIDE + 1) {
            match self.published(Stored::Simple(message)) {
                Some(Stored::Simple(message)) => messages.push(message),
                _ => return self.full(path).await,
            }
            self.out.pause().await;
        }
        self.add_body(path, "", &written_list(&messages)).await;
    }

    /// What goes out of a stored signature: a message that is one and nothing else, else only that
    /// something is there, which refuses as the whole would. `None`: there is no room to look at it.
    fn published(&mut self, stored: Stored) -> Option<Stored> {
        let Stored::Simple(bytes) = stored else {
            return Some(stored);
        };
        let message = SimpleMessage::read(&bytes, self.left)?;
        let more = message.size().saturating_sub(bytes.len());
        self.left = self.left.saturating_sub(more);
        Some(Stored::Simple(if message.is_one() {
            bytes
        } else {
            Vec::new()
        }))
    }
}
