//! Tests of tables larger than `data.memory`: training from a binary copy equals that in memory.

mod common;

use common::{Place, Said, results};
use std::fmt::Write as _;

const ROWS: usize = 30_000;

/// A table of columns of all types, with missing values.
fn table(rows: std::ops::Range<usize>) -> String {
    let mut text =
        String::from("house,rooms,income,sold,garden,town,street,note,weight,price,size\n");
    for row in rows {
        let mixed = (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        let rooms = match mixed % 17 {
            0 => "NA".to_owned(),
            n => format!("{}", n % 7),
        };
        let income = format!("{}.{}", mixed % 100, mixed % 7);
        let sold = match mixed % 23 {
            0 => String::new(),
            n => format!("20{:02}-{:02}-{:02}", n % 25, n % 12 + 1, mixed % 28 + 1),
        };
        let garden = ["yes", "no", ""][(mixed % 3) as usize];
        let town = ["bay", "\"in, land\"", "island", "", "ocean"][(mixed % 5) as usize];
        // More distinct texts than are one-hot, some of them unique.
        let street = match row % 50 {
            0 => format!("only {row}"),
            _ => format!("street {}", mixed % 60),
        };
        let price = (mixed % 7) * 3 + mixed % 5;
        let size = ["small", "large", "tiny"][(mixed % 3) as usize];
        let _ = writeln!(
            text,
            "h{row},{rooms},{income},{sold},{garden},{town},{street},text {row},{},{price},{size}",
            mixed % 4
        );
    }
    text
}

const CONFIG: &str = r#"
seed = 3
[data]
table = "houses.csv"
target = "size"
sample_weight = "weight"
exclude = ["note"]
columns = { house = "id" }
validation = { fraction = 0.2 }
test = { first = 100 }
[model]
recipe = "default"
hidden = [12]
[train]
epochs = 3
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("houses.csv", table(0..ROWS));
    place.write("c.toml", CONFIG);
    place
}

fn ok(place: &Place, arguments: &[&str]) -> Said {
    let said = place.run_cached(arguments);
    assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
    said
}

fn mistake(place: &Place, arguments: &[&str]) -> String {
    let said = place.run_cached(arguments);
    assert_eq!(
        said.code,
        Some(2),
        "{arguments:?}: {}{}",
        said.out,
        said.err
    );
    assert!(!said.err.contains("panicked") && !said.err.contains("internal error"));
    said.err
}

/// Trains with a memory limit that makes the rows stream.
fn small(place: &Place, out: &str, more: &[&str]) -> String {
    let train = [
        "train",
        "c.toml",
        "--out",
        out,
        "--set",
        "data.memory=\"1.5 MB\"",
    ];
    ok(place, &[&train, more].concat()).err
}

/// Trains in memory.
fn here(place: &Place, out: &str, more: &[&str]) -> String {
    ok(place, &[&["train", "c.toml", "--out", out], more].concat()).err
}

const IN_ORDER: [&str; 2] = ["--set", "train.shuffle=false"];

#[test]
fn rows_in_their_order_give_the_files_that_rows_in_memory_give() {
    let place = place();
    let target = ["--set", "data.target=[\"price\", \"size\"]"];
    for (n, more) in [&[][..], &target].into_iter().enumerate() {
        let more = [&IN_ORDER[..], more].concat();
        let (a, b) = (format!("here{n}"), format!("read{n}"));
        let here = here(&place, &a, &[&more[..], &["--threads", "1"]].concat());
        let read = small(&place, &b, &[&more[..], &["--threads", "3"]].concat());
        assert_eq!(results(&place, &a).1, results(&place, &b).1);
        assert!(results(&place, &a) == results(&place, &b));
        let features = |said: &str| {
            let line = said.lines().find(|line| line.starts_with("features: "));
            line.map(str::to_owned)
        };
        assert!(features(&here).is_some());
        assert_eq!(features(&here), features(&read));
        assert!(
            read.contains("read meanwhile, within 1500 kB, from "),
            "{read}"
        );
        let evaluate = |run: &str| {
            let model = format!("{run}/model.keras");
            let config = format!("{run}/config.toml");
            ok(&place, &["evaluate", &model, "--data", &config, "--json"]).out
        };
        assert_eq!(evaluate(&a), evaluate(&b));
    }
    // One copy served all of it.
    assert_eq!(place.names("cache/gradus/tables").len(), 1);
}

#[test]
fn every_split_is_that_of_rows_in_memory() {
    let place = place();
    let memory = ["--set", "data.memory=\"1.5 MB\""];
    for (n, validation) in [
        "{ fraction = 0.2, shuffle = true }",
        "{ fraction = 0.1, stratify = true }",
        "{ fraction = 0.1, stratify = \"town\" }",
        "{ fraction = 0.2, group = \"note\" }",
        "{ fold = 2, folds = 5, shuffle = false }",
        "{ first = 300 }",
    ]
    .into_iter()
    .enumerate()
    {
        let set = format!("data.validation={validation}");
        let more = [&IN_ORDER[..], &["--set", &set]].concat();
        let (a, b) = (format!("here{n}"), format!("read{n}"));
        here(&place, &a, &more);
        let read = ok(
            &place,
            &[&["train", "c.toml", "--out", &b], &more[..], &memory].concat(),
        );
        assert!(read.err.contains("read meanwhile"), "{}", read.err);
        assert!(results(&place, &a) == results(&place, &b), "{validation}");
    }
}

#[test]
fn a_copy_is_made_once_and_shuffled_runs_repeat_and_go_on_to_the_same_bits() {
    let place = place();
    let said = small(&place, "whole", &["--threads", "2"]);
    assert!(
        said.contains("houses.csv") && said.contains("a binary copy is made"),
        "{said}"
    );
    let config = place.text("whole/config.toml");
    assert!(config.contains("memory = \"1500 kB\""), "{config}");
    let again = [
        "train",
        "whole/config.toml",
        "--out",
        "again",
        "--threads",
        "1",
    ];
    let said = ok(&place, &again).err;
    assert!(!said.contains("a binary copy is made"), "{said}");
    assert!(results(&place, "whole") == results(&place, "again"));
    small(&place, "half", &["--set", "train.epochs=1", "--quiet"]);
    small(&place, "two", &["--set", "train.epochs=2", "--quiet"]);
    let resume = ["train", "--resume", "--quiet", "--out", "half"];
    ok(
        &place,
        &[&resume[..], &["--set", "train.epochs=2"]].concat(),
    );
    let model = |run: &str| place.read(&format!("{run}/model.keras")).len();
    assert_eq!(model("half"), model("two"));
    // A changed table is copied anew, replacing the old copy.
    place.write("houses.csv", table(5..ROWS + 5));
    let said = small(&place, "changed", &[]);
    assert!(said.contains("a binary copy is made"), "{said}");
    assert_eq!(place.names("cache/gradus/tables").len(), 1);
}

#[test]
fn predictions_come_block_by_block_and_are_those_of_rows_in_memory() {
    let place = place();
    small(&place, "run", &["--quiet"]);
    let model = "run/model.keras";
    let predict =
        |data: &str, out: &str| ok(&place, &["predict", model, "--data", data, "--out", out]).out;
    let held_out = |memory: &str, validation: &str| {
        CONFIG
            .replace("[data]", &format!("[data]\nmemory = \"{memory}\""))
            .replace("{ fraction = 0.2 }", validation)
            .replace("test = { first = 100 }\n", "")
    };
    for (n, validation) in ["{ fraction = 0.9 }", "{ fraction = 0.5, shuffle = true }"]
        .into_iter()
        .enumerate()
    {
        let file = |kind: &str| format!("{kind}{n}.toml");
        place.write(&file("small"), held_out("1.5 MB", validation));
        place.write(&file("large"), held_out("1 GB", validation));
        let (a, b) = (
            predict(&file("large"), "a.csv"),
            predict(&file("small"), "b.csv"),
        );
        assert_eq!(a.replace("a.csv", ""), b.replace("b.csv", ""));
        assert!(
            b.contains("house, size, size_large, size_small, size_tiny"),
            "{b}"
        );
        let text = place.text("b.csv");
        assert!(text == place.text("a.csv"));
        assert!(text.starts_with("house,size,") && text.contains("\nh2999"));
    }
    predict("large0.toml", "a.npy");
    predict("small0.toml", "b.npy");
    assert!(place.read("a.npy") == place.read("b.npy"));
    // A damaged row leaves no copy.
    let message = mistake(
        &place,
        &[
            "predict",
            model,
            "--data",
            "small0.toml",
            "--out",
            "c.csv",
            "--mc-samples",
            "3",
        ],
    );
    assert!(!message.is_empty() && !place.path("c.csv").exists());
}

#[test]
fn what_is_wrong_with_a_table_is_said_as_of_one_in_memory() {
    let place = place();
    let good = table(0..ROWS);
    let set = |key: &'static str| ["--set", key];
    let price = set("data.target=\"price\"");
    let memory = set("data.memory=\"1.5 MB\"");
    let train = ["train", "c.toml", "--out", "run"];
    let row = |cells: &str| format!("{good}{cells}\n");
    for (what, table, more) in [
        ("ragged", row("h1,3,4"), &[][..]),
        (
            "text",
            row("h1,many,1.5,2024-01-02,yes,bay,street 1,n,1,3,small"),
            &[],
        ),
        (
            "no target",
            row("h1,3,1.5,2024-01-02,yes,bay,street 1,n,1,,small"),
            &price,
        ),
        (
            "no weight",
            row("h1,3,1.5,2024-01-02,yes,bay,street 1,n,,3,small"),
            &[],
        ),
        (
            "weight below 0",
            row("h1,3,1.5,2024-01-02,yes,bay,street 1,n,-1,3,small"),
            &[],
        ),
        (
            "unknown column",
            good.clone(),
            &set("data.target=\"prize\""),
        ),
        (
            "unknown group",
            good.clone(),
            &set("data.validation={fraction=0.2, group=\"twon\"}"),
        ),
        (
            "no time",
            good.clone(),
            &set("data.validation={fraction=0.2, time=\"sold\"}"),
        ),
        (
            "named twice",
            good.clone(),
            &set("data.exclude=[\"note\", \"size\"]"),
        ),
    ] {
        place.write("houses.csv", table);
        // The row is held out: the error comes when it is read.
        let first = set("data.validation={first=20}");
        let first = match more.iter().any(|word| word.contains("validation")) {
            true => &[][..],
            false => &first,
        };
        let both = [&train[..], first, more].concat();
        let here = mistake(&place, &both);
        let read = mistake(&place, &[&both[..], &memory].concat());
        assert!(read.ends_with(&here), "{what}: {here}{read}");
        let left = place.names("cache/gradus/tables");
        assert!(left.iter().all(|name| !name.ends_with(".tmp")), "{left:?}");
    }
}

#[test]
fn a_damaged_copy_is_made_anew() {
    let place = place();
    small(&place, "run", &["--quiet"]);
    let names = place.names("cache/gradus/tables");
    let copy = format!("cache/gradus/tables/{}", names[0]);
    let whole = place.read(&copy);
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    place.write(&copy, &damaged);
    let train = ["train", "run/config.toml", "--out", "next"];
    let said = ok(&place, &train).err;
    assert!(
        said.contains("a binary copy is made")
            && said.contains("its binary copy was damaged, and is made anew"),
        "{said}"
    );
    assert!(results(&place, "run") == results(&place, "next"));
    for wrong in [&whole[..whole.len() / 2], b"", b"something else"] {
        place.write(&copy, wrong);
        std::fs::remove_dir_all(place.path("next")).ok();
        let said = ok(&place, &train).err;
        assert!(said.contains("a binary copy is made"), "{said}");
        assert!(results(&place, "run") == results(&place, "next"));
    }
}

#[test]
fn what_does_not_fit_says_so() {
    let place = place();
    let train = ["train", "c.toml", "--out", "run", "--set"];
    for (settings, expected) in [
        (&["data.memory=\"1 kB\""][..], "memory: found"),
        (
            &[
                "data.memory=\"1 MB\"",
                "data.validation={fraction=0.2, shuffle=true}",
            ],
            "data.validation: found 0.2 at random, expected the first rows, the last `fraction` \
             or a table of their own: to choose among 30000 rows one by one takes 1500 kB, and \
             `data.memory` is 1 MB",
        ),
        (
            &[
                "data.memory=\"1 MB\"",
                "data={memory=1, dataset=\"digits\"}",
            ],
            "`memory` belongs to arrays (`x`), `table` and `images`",
        ),
    ] {
        let set: Vec<&str> = settings.iter().flat_map(|s| ["--set", s]).skip(1).collect();
        let message = mistake(&place, &[&train[..], &set].concat());
        assert!(message.contains(expected), "{message}");
    }
    let mut command = place.command(&[&train[..], &["data.memory=\"1 MB\""]].concat());
    let command = command.env_remove("XDG_CACHE_HOME").env_remove("HOME");
    let said = command.output().unwrap();
    let message = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(2), "{message}");
    assert!(message.contains("set XDG_CACHE_HOME"), "{message}");
}

#[test]
fn rows_of_their_own_table_and_folds_are_read_too() {
    let place = place();
    place.write("more.csv", table(ROWS..ROWS + 3000));
    let own = ["--set", "data.validation={table=\"more.csv\"}"];
    let more = [&IN_ORDER[..], &own].concat();
    here(&place, "here", &more);
    small(&place, "read", &more);
    assert!(results(&place, "here") == results(&place, "read"));
    // One for each table.
    assert_eq!(place.names("cache/gradus/tables").len(), 2);
    let layers = r#"model={layers=[{type="StringLookup", inputs=["town"], output_mode="one_hot"}, {type="Dense", units=3, activation="softmax", name="size"}]}"#;
    let layers = ["--set", layers, "--set", "train.optimizer=\"nadam\""];
    let loss = ["--set", "train.loss=\"sparse_categorical_crossentropy\""];
    let more = [&IN_ORDER[..], &layers, &loss].concat();
    here(&place, "a", &more);
    small(&place, "b", &more);
    assert!(results(&place, "a") == results(&place, "b"));
}
