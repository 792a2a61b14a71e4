//! The decisions of all instances that a store keeps for a week.

use super::*;

const SECRET: &str = "0123456789abcdef";
const DAY: i64 = 86_400;
/// In the middle of a day.
const NOON: i64 = 20_000 * DAY + DAY / 2;

/// An instance whose store keeps decisions.
fn instance(change: impl FnOnce(&mut Config)) -> Gateway {
    with(|config| {
        config.admin_secret = SECRET.into();
        config.stores_decisions = true;
        change(config);
    })
}

fn pull(gateway: &Gateway, world: &World, path: &str, time: i64) -> Seen {
    let pulled = seen(world, act(gateway, world, &request("GET", path, &[], time)));
    run(gateway.store_decisions(UnixTime(time), world));
    pulled
}

fn told(gateway: &Gateway, world: &World, path: &str, time: i64) -> serde_json::Value {
    let bearer = format!("Bearer {SECRET}");
    let asked = request("GET", path, &[("authorization", &bearer)], time);
    serde_json::from_slice(&seen(world, act(gateway, world, &asked)).body).unwrap()
}

/// The images of what is told.
fn images(told: &serde_json::Value) -> Vec<&str> {
    let decisions = told["decisions"].as_array().unwrap();
    let images = decisions.iter();
    images.map(|one| one["image"].as_str().unwrap()).collect()
}

fn id_of(refusal: &str) -> &str {
    let (_, rest) = refusal.split_once("Decision ").unwrap();
    rest.split(';').next().unwrap()
}

/// What one instance refused, another one can explain: also one of another build that came since.
#[test]
fn another_instance_knows_the_id_of_a_refusal() {
    let world = World::default();
    let first = instance(|_| {});
    world.signed("app", "1.0", "a");
    world.image("app", "2.0", "b");
    assert_eq!(
        pull(&first, &world, "/v2/app/manifests/1.0", NOON).status,
        200
    );
    let refusal = pull(&first, &world, "/v2/app/manifests/2.0", NOON).message();
    let question = format!("/admin/decisions?id={}", id_of(&refusal));
    let others = [
        instance(|_| {}),
        instance(|config| config.build = "another".into()),
    ];
    for other in &others {
        let found = told(other, &world, &question, NOON + DAY);
        assert_eq!(images(&found), ["r.example/app:2.0"]);
        assert_eq!(found["decisions"][0]["code"], "signature.missing");
        assert_eq!(found["kept"]["in"], "store");
        assert_eq!(found["kept"]["days"], 7);
        assert_eq!(found["kept"]["since"], 20_000 * DAY);
        assert!(found["kept"].get("wrong").is_none());
        let all = told(other, &world, "/admin/decisions", NOON + DAY);
        assert_eq!(images(&all).len(), 2);
        let refused = told(other, &world, "/admin/refusals", NOON + DAY);
        assert_eq!(images(&refused), ["r.example/app:2.0"]);
        let since = format!("/admin/refusals?since={}", NOON + 1);
        assert!(images(&told(other, &world, &since, NOON + DAY)).is_empty());
        let one = "/admin/decisions?image=r.example/app:1.0";
        assert_eq!(
            images(&told(other, &world, one, NOON + DAY)),
            ["r.example/app:1.0"]
        );
    }
    // The first one has it in both, and tells it once.
    assert_eq!(images(&told(&first, &world, &question, NOON)).len(), 1);
}

#[test]
fn a_week_later_they_are_gone() {
    let world = World::default();
    let (first, other) = (instance(|_| {}), instance(|_| {}));
    world.signed("app", "1.0", "a");
    pull(&first, &world, "/v2/app/manifests/1.0", NOON);
    let count = |time: i64| images(&told(&other, &world, "/admin/decisions", time)).len();
    assert_eq!((count(NOON), count(NOON + 7 * DAY)), (1, 1));
    // The store may have it still.
    assert_eq!(count(NOON + 7 * DAY + 1), 0);
    // The log of the day before is asked for too, whenever the record came.
    pull(&first, &world, "/v2/app/manifests/1.0", 20_001 * DAY - 1);
    assert_eq!(count(20_008 * DAY - 1), 1);
}

/// A store may say what it likes: nothing is told that no gateway with this secret wrote, and nothing
/// twice.
#[test]
fn a_hostile_store_adds_nothing() {
    let world = World::default();
    let (first, other) = (instance(|_| {}), instance(|_| {}));
    world.image("app", "2.0", "b");
    pull(&first, &world, "/v2/app/manifests/2.0", NOON);
    let log = format!("decisions/{}", NOON / DAY);
    let (_, record) = world.logs.borrow()[&log][0].clone();
    let all = || {
        let found = told(&other, &world, "/admin/decisions", NOON);
        images(&found).len()
    };
    let put = |records: &[&str]| {
        let records = records.iter().enumerate();
        let records = records.map(|(at, record)| (format!("{at:06}"), record.to_string()));
        world
            .logs
            .borrow_mut()
            .insert(log.clone(), records.collect());
    };
    put(&[&record, &record]);
    assert_eq!(all(), 1);
    let changed = record.replace("app:2.0", "app:3.0");
    let cut = record.replacen('{', "", 1);
    for lie in [
        changed.as_str(),
        &cut,
        "",
        "{}",
        "\n",
        &record[..record.len() - 2],
    ] {
        put(&[lie]);
        assert_eq!(all(), 0, "{lie}");
    }
    // Of another day, or by another's secret.
    let yesterday = format!("decisions/{}", NOON / DAY - 1);
    put(&[]);
    let moved = vec![("000001".to_string(), record.clone())];
    world.logs.borrow_mut().insert(yesterday, moved);
    assert_eq!(all(), 0);
    put(&[&record]);
    let stranger = instance(|config| config.secret = vec![8; 32]);
    let found = told(&stranger, &world, "/admin/decisions", NOON);
    assert!(images(&found).is_empty());
}

/// Without an answer of the store this instance says what it knows, and that there may be more.
#[test]
fn a_store_without_an_answer_is_told() {
    let world = World::default();
    let gateway = instance(|_| {});
    world.image("app", "2.0", "b");
    pull(&gateway, &world, "/v2/app/manifests/2.0", NOON);
    world.forgetful.set(true);
    let found = told(&gateway, &world, "/admin/refusals", NOON);
    assert_eq!(images(&found), ["r.example/app:2.0"]);
    assert_eq!(found["kept"]["in"], "instance");
    assert_eq!(found["kept"]["count"], limits::KEPT_DECISIONS);
    assert!(
        found["kept"]["wrong"]
            .as_str()
            .unwrap()
            .contains("store.failed")
    );
    assert_eq!(world.pieces.borrow().len(), 8);
    // Where there is none, none is asked.
    world.pieces.borrow_mut().clear();
    let alone = instance(|config| config.stores_decisions = false);
    let found = told(&alone, &world, "/admin/refusals", NOON);
    assert_eq!(
        found["kept"],
        serde_json::json!({"in": "instance", "count": 10_000})
    );
    assert!(world.pieces.borrow().is_empty());
}

/// Whatever stands in the store, one question costs so many pieces at most, and each day is asked.
#[test]
fn a_question_is_bounded() {
    let world = World::default();
    let (first, other) = (instance(|_| {}), instance(|_| {}));
    world.image("app", "2.0", "b");
    world.piece.set(1);
    for moment in 0..100 {
        pull(&first, &world, "/v2/app/manifests/2.0", NOON + 10 * moment);
    }
    let now = NOON + 1_000;
    let found = told(&other, &world, "/admin/decisions", now);
    let asked = world.pieces.take();
    assert_eq!(asked.len(), limits::LOG_PIECES);
    assert_eq!(images(&found).len(), limits::LOG_PIECES - 7);
    assert_eq!(found["more"], true);
    assert_eq!(
        asked.last().unwrap().log,
        format!("decisions/{}", NOON / DAY - 7)
    );
    // What is all there needs one a day, and days before are asked for their oldest record alone.
    world.piece.set(0);
    let since = format!("/admin/refusals?since={NOON}");
    let found = told(&other, &world, &since, now);
    assert_eq!((images(&found).len(), &found["more"]), (100, &false.into()));
    let asked = world.pieces.take();
    let before: Vec<&str> = asked
        .iter()
        .map(|question| question.before.as_str())
        .collect();
    assert_eq!(before, ["", "0", "0", "0", "0", "0", "0", "0"]);
}

/// Nothing waits where no store keeps it, and no more than a bound where nobody hands it over; what is
/// handed over comes in records of a bounded size.
#[test]
fn what_waits_is_bounded() {
    let world = World::default();
    let gateway = instance(|_| {});
    for number in 0..4_000 {
        let tag = format!("{}{number}", "t".repeat(100));
        get(&gateway, &world, &format!("/v2/app/manifests/{tag}"));
        world.image("app", &tag, "b");
        get(&gateway, &world, &format!("/v2/app/manifests/{tag}"));
    }
    run(gateway.store_decisions(UnixTime(NOON), &world));
    let logs = world.logs.borrow();
    let records = &logs[&format!("decisions/{}", NOON / DAY)];
    let sizes: Vec<usize> = records.iter().map(|(_, record)| record.len()).collect();
    let all: usize = sizes.iter().sum();
    let most = limits::WAITING_DECISIONS;
    assert!(all > most / 2 && all < most + most / 100, "{all}");
    let most = sizes.iter().max().unwrap();
    assert!(*most < limits::DECISIONS_RECORD + 1_024, "{most}");
    drop(logs);
    // They were handed over, and are not again.
    world.logs.borrow_mut().clear();
    run(gateway.store_decisions(UnixTime(NOON), &world));
    assert!(world.logs.borrow().is_empty());
    let alone = instance(|config| config.stores_decisions = false);
    get(&alone, &world, "/v2/app/manifests/none");
    assert!(alone.decisions.borrow_mut().take_waiting().is_empty());
}
