//! What leads from a part back to the documents that list it: as much as a plain list would find,
//! however many there are, and at the same cost.

use super::*;
use proptest::prelude::*;

const NOW: UnixTime = UnixTime(1_000_000);
const DAY: i64 = 24 * 3_600;

fn numbered(kind: &str, number: usize) -> Digest {
    Digest::of(format!("{kind} {number}").as_bytes())
}

/// A manifest with a layer that all have, one of its own, and a tag.
fn learn(hints: &Hints<'_, World>, number: usize, now: UnixTime) {
    let listed = [numbered("base", 0), numbered("layer", number)];
    let parent = numbered("manifest", number);
    run(hints.remember(&parent, listed.iter(), Some(&format!("v{number}")), now));
}

fn leads(hints: &Hints<'_, World>, number: usize) -> bool {
    hints.parents(&numbered("layer", number)) == [numbered("manifest", number)]
}

fn record(world: &World, kind: &str) -> Option<(String, String)> {
    let store = world.store.borrow();
    let mut of_kind = store.iter().filter(|(key, _)| key.starts_with(kind));
    let found = of_kind
        .next()
        .map(|(key, text)| (key.clone(), text.clone()));
    assert!(of_kind.next().is_none(), "one record of {kind}");
    found
}

/// Tens of thousands of manifests in one repository: what the last ones cost the store, and so the
/// hashing of its records, is what the first ones cost.
#[test]
fn a_manifest_costs_the_same_however_many_are_known() {
    const ALL: usize = 30_000;
    const SOME: usize = 1_000;
    let (gateway, world) = (gateway(), World::default());
    let hints = hints_of(&gateway, &world, "app");
    // Many a second: the other isolates' news are read every five.
    let learn = |hints: &Hints<'_, World>, number: usize| {
        let seconds = i64::try_from(number / 20).unwrap();
        learn(hints, number, UnixTime(NOW.0 + seconds));
    };
    let cost = |begin: usize| {
        world.carried.set(0);
        (begin..begin + SOME).for_each(|number| learn(&hints, number));
        world.carried.get() / SOME
    };
    let (_, _, full) = (cost(0), cost(SOME), cost(2 * SOME));
    // Without a secret nothing is written, and hashed, which takes its time in a test.
    let mut unshared = hints_of(&gateway, &world, "app");
    unshared.records.secret = &[];
    (3 * SOME..ALL - SOME).for_each(|number| learn(&unshared, number));
    let last = cost(ALL - SOME);
    assert!(
        last < 24 << 10 && last <= full + full / 10,
        "{full}, {last}"
    );

    // All are found in this isolate, and nothing is too large for a store.
    assert!((0..ALL).all(|number| leads(&hints, number)));
    let base = hints.parents(&numbered("base", 0));
    let latest = (0..16).map(|back| numbered("manifest", ALL - 1 - back));
    assert_eq!(base, latest.collect::<Vec<_>>());
    let (_, everything) = record(&world, "hints/").unwrap();
    let (_, news) = record(&world, "news/").unwrap();
    let (most, most_news) = (limits::HINTS_RECORD + 100, limits::HINTS_NEWS + 200);
    assert!(everything.len() <= most, "{}", everything.len());
    assert!(news.len() <= most_news, "{}", news.len());
    // Another isolate finds the last thousand links, and tags, after two loads.
    let other = super::gateway();
    let hints = hints_of(&other, &world, "app");
    world.loads.set(0);
    assert!(run(hints.recall(NOW)));
    assert_eq!(world.loads.get(), 2);
    assert!((ALL - 1_000..ALL).all(|number| leads(&hints, number)));
    assert_eq!(hints.tags(&numbered("manifest", ALL - 500)).len(), 1);
}

/// Two isolates that write by turns, or nearly at once, lose nothing for long.
#[test]
fn isolates_that_write_by_turns_share_everything() {
    let world = World::default();
    let (one, other) = (gateway(), gateway());
    for number in 0..600 {
        let isolate = [&one, &other][number % 2];
        // Each reads the other's news every five seconds.
        let now = UnixTime(NOW.0 + i64::try_from(number).unwrap());
        learn(&hints_of(isolate, &world, "app"), number, now);
    }
    let late = UnixTime(NOW.0 + 700);
    // Whose news were written over has them still, and writes them with what comes next.
    learn(&hints_of(&one, &world, "app"), 600, late);
    learn(&hints_of(&other, &world, "app"), 601, UnixTime(late.0 + 6));
    let fresh = gateway();
    let hints = hints_of(&fresh, &world, "app");
    assert!(run(hints.recall(late)));
    let lost: Vec<usize> = (0..602).filter(|number| !leads(&hints, *number)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// A record that fails reads as none: cut at any place, of another kind, repository or secret.
#[test]
fn forged_and_truncated_records_are_absent() {
    let world = World::default();
    let writer = gateway();
    let hints = hints_of(&writer, &world, "app");
    for number in 0..150 {
        learn(&hints, number, NOW);
    }
    let news = record(&world, "news/").unwrap();
    let everything = record(&world, "hints/").unwrap();
    let knows = |number: usize| {
        let fresh = gateway();
        let hints = hints_of(&fresh, &world, "app");
        run(hints.recall(NOW));
        leads(&hints, number)
    };
    assert!(knows(0) && knows(149));
    let put = |(key, _): &(String, String), text: &str| {
        world.store.borrow_mut().insert(key.clone(), text.into());
    };
    let cuts = (0..news.1.len()).step_by(97);
    let mut bad: Vec<String> = cuts.map(|at| news.1[..at].into()).collect();
    bad.extend([
        news.1.replacen("lists", "good", 1),
        news.1.replacen('\n', "9\n", 1),
        news.1.replace('\n', "\n\n"),
        everything.1.clone(),
        format!("{}x", news.1),
    ]);
    for text in bad {
        put(&news, &text);
        assert!(!knows(149), "{text:?}");
    }
    put(&news, &news.1);
    put(&everything, &everything.1.replacen("lists", "lists ", 1));
    assert!(!knows(0) && knows(149));
    put(&everything, &news.1);
    assert!(!knows(0) && knows(149));
    put(&everything, &everything.1);
    assert!(knows(0));
    // Well-formed records of nonsense, by whoever has the secret.
    let records = records_of(&writer, &world);
    for text in [
        "",
        "x\nlists",
        "0",
        "-1\ntag\n\nlists x 1\ngood\ntag sha256:00 1 v",
    ] {
        run(records.save("news", &news.0, text, 60));
        assert!(!knows(149), "{text:?}");
    }
}

/// Everything that is old is written again with the next news, so that what is in use does not end.
#[test]
fn hints_that_are_old_are_gathered_again() {
    let world = World::default();
    let isolate = gateway();
    let hints = hints_of(&isolate, &world, "app");
    for number in 0..150 {
        learn(&hints, number, NOW);
    }
    let gathered = || record(&world, "hints/").unwrap().1;
    let first = gathered();
    learn(&hints, 150, UnixTime(NOW.0 + 14 * DAY));
    assert_eq!(gathered(), first);
    learn(&hints, 151, UnixTime(NOW.0 + 16 * DAY));
    assert!(gathered() != first && gathered().contains(&numbered("manifest", 0).to_string()));
}

/// What a plain list says: the last that were used first.
#[derive(Default)]
struct Model(Vec<(usize, Vec<usize>)>);

impl Model {
    fn remember(&mut self, parent: usize, listed: &[usize]) {
        self.0.retain(|(known, _)| *known != parent);
        self.0.insert(0, (parent, listed.to_vec()));
    }

    fn parents(&self, child: usize) -> Vec<usize> {
        let found = self.0.iter().filter(|(_, listed)| listed.contains(&child));
        found.map(|(parent, _)| *parent).take(16).collect()
    }
}

/// What a document lists follows from its bytes.
fn listed_by(parent: usize) -> [usize; 3] {
    [parent % 7, 10 + parent % 3, 20 + parent]
}

fn remember(hints: &Hints<'_, World>, parent: usize, tagged: bool, now: UnixTime) {
    let digests = listed_by(parent).map(|child| numbered("child", child));
    let tag = format!("v{parent}");
    let tag = tagged.then_some(tag.as_str());
    run(hints.remember(&numbered("parent", parent), digests.iter(), tag, now));
}

fn digests(parents: Vec<usize>) -> Vec<Digest> {
    let digests = parents.into_iter().map(|parent| numbered("parent", parent));
    digests.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// In this order, too.
    #[test]
    fn an_isolate_finds_what_a_plain_list_finds(
        steps in proptest::collection::vec(0usize..90, 1..300),
    ) {
        let (gateway, world) = (gateway(), World::default());
        let hints = hints_of(&gateway, &world, "team/app");
        let mut model = Model::default();
        for parent in steps {
            remember(&hints, parent, true, NOW);
            model.remember(parent, &listed_by(parent));
        }
        for child in 0..110 {
            let of = numbered("child", child);
            prop_assert_eq!(hints.parents(&of), digests(model.parents(child)), "{}", child);
            prop_assert!(hints_of(&gateway, &world, "team").parents(&of).is_empty());
        }
    }

    /// Whichever of two remembers, and however their writes cross: a third finds it all, once each has
    /// told something more.
    #[test]
    fn an_isolate_finds_what_others_have_found(
        steps in proptest::collection::vec((0usize..2, 0usize..30, 0i64..9, any::<bool>()), 1..400),
    ) {
        let world = World::default();
        let isolates = [gateway(), gateway()];
        let mut model = Model::default();
        let mut now = NOW;
        for (isolate, parent, seconds, tagged) in steps {
            now.0 += seconds;
            let hints = hints_of(&isolates[isolate], &world, "team/app");
            remember(&hints, parent, tagged, now);
            model.remember(parent, &listed_by(parent));
        }
        for (number, isolate) in isolates.iter().enumerate() {
            now.0 += 6;
            learn(&hints_of(isolate, &world, "team/app"), 1_000 + number, now);
        }
        let fresh = gateway();
        let hints = hints_of(&fresh, &world, "team/app");
        run(hints.recall(now));
        for child in 0..60 {
            let mut found = hints.parents(&numbered("child", child));
            let mut all = digests(model.parents(child));
            all.sort();
            found.sort();
            prop_assert_eq!(found, all, "{}", child);
        }
    }
}
