//! Tests of `gradus lr-find`, and of `learning_rate = "auto"`.

mod common;

use common::{Place, SMALL, results};

/// The value after a name in the finder's output.
fn printed(out: &str, name: &str) -> f64 {
    let line = out.lines().find(|line| line.starts_with(name));
    let rest = &line.unwrap_or_else(|| panic!("{out}"))[name.len()..];
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn it_draws_the_curve_and_suggests_what_the_curve_says() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let out = place.ok(&["lr-find", "c.toml", "--out", "found"]);
    assert_eq!(place.names("found"), ["lr-find.csv", "lr-find.svg"]);
    assert_eq!(place.names(""), ["c.toml", "found"]);

    // The rule, from the file: a tenth of the rate with the lowest smoothed loss.
    let csv = place.text("found/lr-find.csv");
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("learning_rate,loss,smoothed_loss"));
    let points: Vec<Vec<f64>> = lines
        .map(|line| line.split(',').map(|x| x.parse().unwrap()).collect())
        .collect();
    assert!(points.len() > 200 && points[0][0] == 1e-5);
    let lowest = points.iter().min_by(|a, b| a[2].total_cmp(&b[2])).unwrap();
    let (rate, maximum) = (
        printed(&out, "learning rate"),
        printed(&out, "1cycle maximum"),
    );
    assert!((rate / (lowest[0] / 10.0) - 1.0).abs() < 0.05, "{rate}");
    assert!(
        (maximum / (lowest[0] / 2.0) - 1.0).abs() < 0.05,
        "{maximum}"
    );
    let mut smoothed = (0.0, 0.0);
    for point in &points {
        smoothed = (
            0.95 * smoothed.0 + 0.05 * point[1],
            0.95 * smoothed.1 + 0.05,
        );
        assert!((smoothed.0 / smoothed.1 - point[2]).abs() < 1e-9);
    }

    // The plot has the curve, its axis and its marks; the picture is valid XML.
    assert!(
        out.lines().filter(|line| line.contains('*')).count() > 8,
        "{out}"
    );
    assert!(out.contains("1e-5 ") && out.contains("^climbs"), "{out}");
    // The suggested command contains the program's path.
    let mut own = out.lines().filter(|line| !line.contains("gradus train"));
    assert!(own.all(|line| line.len() <= 80), "{out}");
    let svg = place.text("found/lr-find.svg");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert_eq!(svg.matches('<').count(), svg.matches('>').count());
    assert!(
        svg.contains(&format!(">rate {rate}<")) && !svg.contains("NaN"),
        "{svg}"
    );

    // The suggested command works, and finds the same rate.
    let next = out.lines().last().unwrap().trim();
    let mut shell = std::process::Command::new("sh");
    let done = shell
        .args(["-c", next])
        .current_dir(place.path(""))
        .output();
    assert!(done.unwrap().status.success(), "{next}");
    let again = place.ok(&["lr-find", "c.toml", "--out", "found"]);
    assert_eq!((again, place.text("found/lr-find.csv")), (out, csv));
}

#[test]
fn auto_finds_the_rate_and_writes_it_down() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let rate = printed(&place.ok(&["lr-find", "c.toml"]), "learning rate");
    let auto = [
        "train",
        "c.toml",
        "--set",
        "train.learning_rate=auto",
        "--out",
    ];
    let said = place.run(&[&auto[..], &["a"]].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.err.contains(&format!("train.learning_rate = {rate} ")),
        "{}",
        said.err
    );
    let config = place.text("a/config.toml");
    assert!(
        config.contains(&format!("learning_rate = {rate},")),
        "{config}"
    );
    assert!(!config.contains("learning_rate = \"auto\""), "{config}");
    let history = place.text("a/history.csv");
    assert!(
        history
            .lines()
            .nth(1)
            .unwrap()
            .contains(&format!(",{rate},")),
        "{history}"
    );

    // The run repeats bit for bit: from its configuration, and from `auto`.
    place.ok(&["train", "a/config.toml", "--quiet", "--out", "b"]);
    place.ok(&[&auto[..], &["c", "--quiet", "--threads", "1"]].concat());
    assert!(results(&place, "a") == results(&place, "b"));
    assert!(results(&place, "a") == results(&place, "c"));
    // Resuming finds the same rate, and so continues the same run.
    place.ok(&[&auto[..], &["c", "--quiet", "--resume"]].concat());
}

#[test]
fn auto_sets_the_maximum_of_a_1cycle_schedule() {
    let place = Place::new();
    let maximum = printed(&place.ok(&["lr-find"]), "1cycle maximum");
    assert_eq!(place.names("runs"), ["digits-lr-find"]);
    let auto = ["train", "--quiet", "--set", "train.epochs=1"];
    let auto = [&auto[..], &["--set", "train.learning_rate=auto"]].concat();
    // The peak rate of the recipe, or of a schedule that leaves it out.
    let sgd = ["--set", "train.optimizer=SGD"];
    for (out, more, key) in [
        ("a", &[][..], "max_rate"),
        (
            "b",
            &["--set", "train.schedule=OneCycle", sgd[0], sgd[1]],
            "max_rate",
        ),
        (
            "c",
            &[
                "--set",
                "train.schedule={type=\"OneCycleLR\", pct_start=0.4}",
            ],
            "max_lr",
        ),
    ] {
        place.ok(&[&auto[..], more, &["--out", out]].concat());
        let config = place.text(&format!("{out}/config.toml"));
        let at = config
            .find(&format!("{key} = "))
            .unwrap_or_else(|| panic!("{config}"));
        let value: String = config[at + key.len() + 3..]
            .split([',', ' '])
            .take(1)
            .collect();
        let value: f64 = value.parse().unwrap();
        // SGD without momentum tolerates a higher rate.
        let fits = if out == "b" {
            value > maximum
        } else {
            value == maximum
        };
        assert!(fits, "{out}: {value}, not {maximum}");
        let again = format!("{out}-again");
        place.ok(&[
            "train",
            &format!("{out}/config.toml"),
            "--quiet",
            "--out",
            &again,
        ]);
        assert!(results(&place, out) == results(&place, &again));
    }
}

#[test]
fn auto_keeps_the_optimizer_state_of_a_loaded_model() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    place.ok(&["train", "c.toml", "--quiet", "--out", "a"]);
    place.write(
        "more.toml",
        "[data]\ndataset = \"digits\"\n[model]\nfile = \"a/model.keras\"\n\
         [train]\nlearning_rate = \"auto\"\n",
    );
    place.ok(&["train", "more.toml", "--quiet", "--out", "b"]);
    place.ok(&["train", "b/config.toml", "--quiet", "--out", "c"]);
    assert!(results(&place, "b") == results(&place, "c"));
    let config = place.text("b/config.toml");
    assert!(
        config.contains("\nlearning_rate = ") && !config.contains("optimizer = "),
        "{config}"
    );
}

#[test]
fn mistakes_are_named() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    for (arguments, parts) in [
        (&["lr-find", "none.toml"][..], &["none.toml"][..]),
        (
            &["lr-find", "c.toml", "--out", "c.toml"],
            &["c.toml", "is a file"],
        ),
        (
            &["lr-find", "--set", "train.epoch=3"],
            &["--set train.epoch", "`epochs`"],
        ),
        (
            &[
                "train",
                "--set",
                "train.learning_rate=auto",
                "--set",
                "train.schedule={type=\"PowerScheduling\", initial_learning_rate=0.1, decay_steps=9}",
            ],
            &["train.schedule", "auto"],
        ),
        (
            &["train", "--set", "train.learning_rate=autom"],
            &["train.learning_rate", "autom"],
        ),
    ] {
        let message = place.mistake(arguments);
        for part in parts {
            assert!(message.contains(part), "{arguments:?}: {message}");
        }
    }
    // Data without information: the loss cannot fall.
    place.write("x.npy", common::npy(&[40, 3]));
    place.write("y.npy", common::npy(&[40]));
    let data = "[data]\nx = \"x.npy\"\ny = \"y.npy\"\n";
    let model = "[model]\nlayers = [{ type = \"Dense\", units = 1 }]\n";
    let train = "[train]\nloss = \"mse\"\noptimizer = \"sgd\"\nlearning_rate = \"auto\"\n";
    place.write("flat.toml", format!("{data}{model}{train}"));
    let message = place.mistake(&["train", "flat.toml"]);
    assert!(
        message.contains("train.learning_rate") && message.contains("never fell"),
        "{message}"
    );
    let set = ["lr-find", "flat.toml", "--set", "train.learning_rate=0.1"];
    assert!(place.ok(&set).contains("no suggestion"));
}
