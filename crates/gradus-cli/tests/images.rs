//! Tests of folders of pictures through the real binary: training, prediction, the cache, and
//! errors for damaged ones.

mod common;

use common::{Place, Said};
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use std::fs;
use std::io::Cursor;
use std::path::Path;

/// A colour pattern that differs from picture to picture.
fn picture(height: u32, width: u32, seed: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| {
        let tone = |step: u32| ((x * step + y * 3 + seed * 29) % 200) as u8;
        Rgb([tone(7), tone(5), tone(11)])
    })
    .into()
}

/// A bright square on the left or on the right.
fn square(left: bool, seed: u32) -> DynamicImage {
    GrayImage::from_fn(8, 8, |x, _| {
        Luma([if (x < 4) == left {
            200
        } else {
            seed as u8 % 40
        }])
    })
    .into()
}

fn bytes(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(picture: &DynamicImage) -> Vec<u8> {
    bytes(picture, ImageFormat::Png)
}

fn jpeg(picture: &DynamicImage) -> Vec<u8> {
    bytes(picture, ImageFormat::Jpeg)
}

fn put(place: &Place, name: &str, contents: impl AsRef<[u8]>) {
    let path = place.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

fn run(place: &Place, arguments: &[&str]) -> Said {
    let mut command = place.command(arguments);
    let output = command
        .env("XDG_CACHE_HOME", place.path("cache"))
        .output()
        .unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn ok(place: &Place, arguments: &[&str]) -> String {
    let said = run(place, arguments);
    assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
    said.out
}

fn mistake(place: &Place, arguments: &[&str]) -> String {
    let said = run(place, arguments);
    assert_eq!(
        (said.code, &*said.out),
        (Some(2), ""),
        "{arguments:?}: {}",
        said.err
    );
    assert!(!said.err.contains("panicked"), "{}", said.err);
    said.err
}

/// 30 pictures with the square on the left, 20 with it on the right.
fn squares() -> Place {
    let place = Place::new();
    for seed in 0..30 {
        put(
            &place,
            &format!("sides/left/{seed:02}.png"),
            png(&square(true, seed)),
        );
    }
    for seed in 0..20 {
        put(
            &place,
            &format!("sides/right/{seed:02}.PNG"),
            png(&square(false, seed * 3)),
        );
    }
    put(&place, "sides/.hidden/x.png", "no picture");
    put(&place, "sides/left/.thumbnail.jpg", "no picture");
    put(&place, "sides/left/notes.txt", "not a picture either");
    place.write("c.toml", CONFIG);
    place
}

const CONFIG: &str = r#"
seed = 3
[data]
images = "sides"
color_mode = "grayscale"
validation = { fraction = 0.2 }
[model]
layers = [{ type = "Flatten" }, { type = "Dense", units = 2, activation = "softmax" }]
[train]
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
epochs = 5
batch_size = 8
optimizer = { type = "Adam", learning_rate = 0.05 }
"#;

#[test]
fn a_folder_is_trained_on_evaluated_and_predicted() {
    let place = squares();
    let out = ok(&place, &["train", "c.toml", "--out", "run"]);
    assert!(out.contains("validation"), "{out}");
    // Both classes are among the last rows.
    assert_eq!(place.history("run", "val_accuracy").last(), Some(&1.0));
    // The run's configuration repeats it, from elsewhere.
    fs::create_dir(place.path("other")).unwrap();
    fs::rename(
        place.path("run/config.toml"),
        place.path("other/again.toml"),
    )
    .unwrap();
    ok(
        &place,
        &["train", "other/again.toml", "--out", "run2", "--quiet"],
    );
    assert_eq!(
        place.read("run/model.keras"),
        place.read("run2/model.keras")
    );

    let out = ok(&place, &["evaluate", "run/model.keras", "--data", "sides"]);
    assert!(
        out.contains("50 rows") && out.contains("accuracy  1.0000"),
        "{out}"
    );
    // New pictures, larger, in colour and in no class folders.
    let big = image::imageops::FilterType::Nearest;
    put(
        &place,
        "new/b, c.jpg",
        jpeg(&square(true, 9).resize_exact(64, 64, big).to_rgb8().into()),
    );
    put(
        &place,
        "new/a.png",
        png(&square(false, 9).resize_exact(32, 40, big)),
    );
    ok(
        &place,
        &[
            "predict",
            "run/model.keras",
            "--data",
            "new/",
            "--out",
            "p.csv",
        ],
    );
    let text = place.text("p.csv");
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows[0], "file,class,class_left,class_right");
    assert!(
        rows[1].starts_with("a.png,") && rows[2].starts_with("\"b, c.jpg\","),
        "{text}"
    );
    let numbers = |row: &str| -> Vec<f32> {
        let (_, cells) = row
            .rsplit_once(".png,")
            .or(row.rsplit_once("jpg\","))
            .unwrap();
        let cells = cells.split(',').skip(1);
        cells.map(|cell| cell.parse().unwrap()).collect()
    };
    assert!(
        numbers(rows[1])[1] > 0.9 && numbers(rows[2])[0] > 0.9,
        "{text}"
    );
    ok(
        &place,
        &[
            "predict",
            "run/model.keras",
            "--data",
            "sides",
            "--out",
            "q.csv",
        ],
    );
    assert!(place.text("q.csv").contains("\nright/19.PNG,right,"));
    ok(
        &place,
        &[
            "predict",
            "run/model.keras",
            "--data",
            "new",
            "--out",
            "p.npy",
        ],
    );
}

#[test]
fn a_folder_is_shown_with_its_classes_and_pictures() {
    let place = squares();
    let out = ok(&place, &["data", "show", "sides"]);
    for words in [
        "sides: 50 rows",
        "(None, 8, 8, 3)",
        "0 left              30",
        "1 right             20",
        "████████  ",
    ] {
        assert!(out.contains(words), "no {words:?} in {out}");
    }
    let out = ok(&place, &["data", "show", "c.toml"]);
    assert!(
        out.contains("(None, 8, 8, 1)") && out.contains("40 rows"),
        "{out}"
    );
    assert!(
        out.contains("left              24") && out.contains("right             16"),
        "{out}"
    );
}

#[test]
fn validation_has_a_folder_of_its_own_with_the_same_classes() {
    let place = squares();
    put(&place, "held/right/1.png", png(&square(false, 1)));
    put(
        &place,
        "held/right/2.png",
        png(&square(false, 2).resize_exact(16, 16, image::imageops::FilterType::Nearest)),
    );
    let set = r#"data.validation={ images = "held" }"#;
    ok(
        &place,
        &["train", "c.toml", "--set", set, "--out", "run", "--quiet"],
    );
    assert_eq!(place.history("run", "val_accuracy").last(), Some(&1.0));
    fs::rename(place.path("held/right"), place.path("held/rigth")).unwrap();
    let message = mistake(&place, &["train", "c.toml", "--set", set]);
    assert!(
        message.contains("`rigth`") && message.contains("did you mean `right`?"),
        "{message}"
    );
}

#[test]
fn what_was_decoded_is_kept_and_a_change_is_seen() {
    let place = squares();
    let shown = || ok(&place, &["data", "show", "sides"]);
    let first = shown();
    let names = place.names("cache/gradus/images");
    assert_eq!(names.len(), 1, "{names:?}");
    let cache = format!("cache/gradus/images/{}", names[0]);
    let whole = place.read(&cache);
    // The cache is used if times and lengths are the same, without reading the pictures.
    let path = place.path("sides/left/00.png");
    let about = fs::metadata(&path).unwrap();
    fs::write(&path, vec![0; about.len() as usize]).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(about.modified().unwrap()).unwrap();
    assert_eq!(shown(), first);
    // Damaged anywhere, it is made anew, which now fails.
    let damages: [fn(&mut Vec<u8>); 5] = [
        |bytes| bytes.clear(),
        |bytes| bytes.truncate(bytes.len() - 1),
        |bytes| bytes[0] ^= 1,
        |bytes| bytes[20] ^= 1,
        |bytes| {
            let middle = bytes.len() - 500;
            bytes[middle] ^= 1;
        },
    ];
    for damage in damages {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        place.write(&cache, bytes);
        let message = mistake(&place, &["data", "show", "sides"]);
        assert!(message.contains("sides/left/00.png"), "{message}");
    }
    // A changed picture is noticed, and the file replaced.
    fs::write(&path, png(&square(true, 77))).unwrap();
    assert!(shown() != first);
    assert_eq!(place.names("cache/gradus/images").len(), 1);
    // Without a cache folder it works, too.
    fs::remove_dir_all(place.path("cache")).unwrap();
    place.write("cache", "a file");
    shown();
}

#[test]
fn sizes_and_ways_to_resize() {
    let place = Place::new();
    for (class, height, width) in [("a", 10, 20), ("b", 20, 10), ("c", 15, 15)] {
        put(
            &place,
            &format!("set/{class}/1.png"),
            png(&picture(height, width, 1)),
        );
        put(
            &place,
            &format!("set/{class}/2.jpeg"),
            jpeg(&picture(height, width, 2)),
        );
    }
    let message = mistake(&place, &["data", "show", "set"]);
    assert!(
        message.contains("set/b/1.png") && message.contains("20 x 10"),
        "{message}"
    );
    assert!(
        message.contains("set/a/1.png") || message.contains("a/1.png has 10 x 20"),
        "{message}"
    );
    assert!(message.contains("size = [10, 20]"), "{message}");
    let mut seen = Vec::new();
    for resize in ["stretch", "crop", "pad"] {
        let text = format!("[data]\nimages = \"set\"\nsize = [6, 12]\nresize = \"{resize}\"\n");
        place.write("d.toml", text);
        let out = ok(&place, &["data", "show", "d.toml"]);
        assert!(out.contains("(None, 6, 12, 3)"), "{out}");
        seen.push(out);
    }
    assert!(seen[0] != seen[1] && seen[1] != seen[2]);
    for (table, words) in [
        ("images = \"set\"\nsize = [6]", "expected [height, width]"),
        ("images = \"set\"\nsize = [0, 6]", "each from 1 to 8192"),
        ("images = \"set\"\nsize = 6", "expected [height, width]"),
        (
            "images = \"set\"\nresize = \"croop\"",
            "did you mean `crop`?",
        ),
        (
            "images = \"set\"\ncolor_mode = \"greyscale\"",
            "did you mean `grayscale`?",
        ),
        (
            "images = \"set\"\ndataset = \"digits\"",
            "exclude each other",
        ),
        ("images = \"set\"\ny = \"y.npy\"", "exclude each other"),
        ("images = \"gone\"", "gone"),
        (
            "size = [6, 6]\ndataset = \"digits\"",
            "`size` needs `images`",
        ),
        ("images = \"set\"\nsise = [6, 6]", "sise"),
    ] {
        place.write("d.toml", format!("[data]\n{table}\n"));
        let message = mistake(&place, &["data", "show", "d.toml"]);
        assert!(message.contains(words), "{table}: {message}");
    }
}

/// A PNG that claims a size, with its checksum right.
fn png_of(height: u32, width: u32) -> Vec<u8> {
    let mut bytes = png(&picture(8, 8, 0));
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let mut sum = flate2::Crc::new();
    sum.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.sum().to_be_bytes());
    bytes
}

/// A JPEG that claims a size.
fn jpeg_of(height: u16, width: u16) -> Vec<u8> {
    let mut bytes = jpeg(&picture(8, 8, 0));
    let at = bytes
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    bytes[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    bytes[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

fn damaged() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = (png(&picture(8, 8, 1)), jpeg(&picture(8, 8, 1)));
    let cut = |bytes: &[u8], length: usize| bytes[..length].to_vec();
    let changed = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 0x55;
        bytes
    };
    let data = good.0.windows(4).position(|four| four == b"IDAT").unwrap();
    vec![
        ("1.png", vec![], "it is empty"),
        ("1.jpg", vec![], "it is empty"),
        ("1.png", b"hello".to_vec(), "something else"),
        ("1.jpg", b"GIF89a....".to_vec(), "a GIF"),
        ("1.png", b"BM......".to_vec(), "a BMP"),
        ("1.png", b"RIFF....WEBPVP8 ".to_vec(), "a WebP"),
        ("1.jpg", b"II*\0....".to_vec(), "a TIFF"),
        ("1.jpg", b"\0\0\0\x18ftypheic".to_vec(), "a HEIC"),
        ("1.png", b"%PDF-1.7".to_vec(), "a PDF"),
        ("1.png", b"<svg/>".to_vec(), "SVG"),
        ("1.png", cut(&good.0, 8), "cut short"),
        ("1.png", cut(&good.0, 20), "cut short"),
        ("1.png", cut(&good.0, data + 20), "cut short"),
        ("1.png", changed(&good.0, data + 9), "damaged"),
        ("1.png", changed(&good.0, 25), "damaged"),
        ("1.png", png_of(0, 8), "1.png"),
        ("1.png", png_of(40_000, 40_000), "40000 x 40000"),
        ("1.png", png_of(u32::MAX >> 1, u32::MAX >> 1), "1.png"),
        ("1.png", png_of(5000, 8), "not have enough data"),
        ("1.jpg", cut(&good.1, 2), "cut short"),
        ("1.jpg", cut(&good.1, 100), "cut short"),
        ("1.jpg", cut(&good.1, good.1.len() / 2 + 100), "cut short"),
        ("1.jpg", cut(&good.1, good.1.len() - 2), "cut short"),
        ("1.jpg", vec![0xff, 0xd8, 0xff, 0xd9], "damaged"),
        ("1.jpg", jpeg_of(65_000, 65_000), "65000 x 65000"),
        ("1.jpg", jpeg_of(0, 8), "1.jpg"),
    ]
}

#[test]
fn every_damaged_picture_is_named_with_what_is_wrong() {
    for (name, contents, words) in damaged() {
        let place = Place::new();
        put(&place, "set/a/0.png", png(&picture(8, 8, 0)));
        put(&place, &format!("set/b/{name}"), contents);
        put(&place, "set/b/2.png", "bad, too");
        let message = mistake(&place, &["data", "show", "set"]);
        assert!(
            message.contains(&format!("set/b/{name}: ")),
            "{words}: {message}"
        );
        assert!(message.contains(words), "{words}: {message}");
        assert!(message.len() < 300, "{message}");
        assert_eq!(place.names("cache/gradus/images"), [""; 0]);
    }
}

#[test]
fn every_odd_folder_is_named_with_a_way_out() {
    type Make = fn(&Place);
    let good = || png(&picture(8, 8, 0));
    let cases: [(Make, &str, &[&str]); 8] = [
        (|_| {}, "show", &["set: it holds no pictures"]),
        (
            |place| put(place, "set/notes.txt", "x"),
            "show",
            &["set: it holds no pictures"],
        ),
        (
            |place| put(place, "set/a/notes.txt", "x"),
            "show",
            &["set/a: ", "fill it or remove it"],
        ),
        (
            |place| put(place, "set/c.bmp", "x"),
            "show",
            &["set/c.bmp: ", "convert it"],
        ),
        (
            |place| put(place, "set/a/c.gif", "x"),
            "show",
            &["set/a/c.gif: ", "convert it"],
        ),
        (
            |place| {
                put(place, "set/a/1.png", png(&picture(8, 8, 0)));
                put(place, "set/stray.png", png(&picture(8, 8, 0)));
            },
            "show",
            &["set/stray.png: ", "beside the class folders (`a`"],
        ),
        (
            |place| put(place, "set/a/1.png", png(&picture(8, 8, 0))),
            "train",
            &["one class folder, `a`", "two at least"],
        ),
        (
            |place| put(place, "set/1.png", png(&picture(8, 8, 0))),
            "train",
            &["in no class folders"],
        ),
    ];
    for (make, command, words) in cases {
        let place = Place::new();
        fs::create_dir(place.path("set")).unwrap();
        make(&place);
        let message = match command {
            "show" => mistake(&place, &["data", "show", "set"]),
            _ => mistake(&place, &["train", "--set", "data={ images = \"set\" }"]),
        };
        for word in words {
            assert!(message.contains(word), "no {word:?} in {message}");
        }
    }
    // Nested folders within class folders count, cyclic links do not hang.
    let place = Place::new();
    put(&place, "set/a/deep/er/1.png", good());
    put(&place, "set/a/2.png", good());
    put(&place, "set/b/1.png", good());
    #[cfg(unix)]
    std::os::unix::fs::symlink(place.path("set"), place.path("set/a/deep/again")).unwrap();
    let out = ok(&place, &["data", "show", "set"]);
    assert!(out.contains("3 rows"), "{out}");
    // A set's name wins over a folder, and a file is no folder.
    fs::create_dir(place.path("digits")).unwrap();
    assert!(ok(&place, &["data", "show", "digits"]).contains("1442 rows"));
    assert!(Path::new(&place.path("set/b/1.png")).exists());
    let message = mistake(&place, &["data", "show", "set/b/1.png"]);
    assert!(message.contains("a folder of pictures"), "{message}");
    let message = mistake(&place, &["data", "show", "gone/"]);
    assert!(message.contains("gone/"), "{message}");
}

/// A wide picture with a bright centre, or bright ends: cropped to a square they differ, stretched
/// they nearly don't.
fn wide(middle: bool, seed: u32) -> DynamicImage {
    GrayImage::from_fn(32, 8, |x, _| {
        let in_middle = (12..20).contains(&x);
        Luma([if in_middle == middle {
            200
        } else {
            seed as u8 % 30
        }])
    })
    .into()
}

#[test]
fn a_model_is_given_new_pictures_as_it_was_given_those_of_its_training() {
    let place = Place::new();
    for seed in 0..12 {
        put(
            &place,
            &format!("wide/middle/{seed}.png"),
            png(&wide(true, seed)),
        );
        put(
            &place,
            &format!("wide/ends/{seed}.png"),
            png(&wide(false, seed)),
        );
    }
    let config = CONFIG.replace("\"sides\"", "\"wide\"\nsize = [8, 8]");
    place.write("c.toml", config);
    for (run, set) in [
        ("crop", "data.resize=\"crop\""),
        ("pad", "data.resize=\"pad\""),
        ("none", "data.scale=\"none\""),
    ] {
        ok(&place, &["train", "c.toml", "--out", run, "--set", set]);
        let model = format!("{run}/model.keras");
        let config = format!("{run}/config.toml");
        // The configuration's rows, and the folder in another order.
        let of = |data: &str| {
            ok(
                &place,
                &["predict", &model, "--data", data, "--out", "p.csv"],
            );
            let text = place.text("p.csv");
            let mut lines: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
            lines.sort();
            assert!(
                text.starts_with("file,class,class_ends,class_middle\n"),
                "{text}"
            );
            lines
        };
        let (held_out, all) = (of(&config), of("wide"));
        assert!(held_out.len() == 5 && all.len() == 24);
        assert!(
            held_out.iter().all(|line| all.contains(line)),
            "{run}: {held_out:?} {all:?}"
        );
    }
    // Cropped, only the centre remains.
    let text = place.text("p.csv");
    assert!(
        text.lines()
            .skip(1)
            .all(|line| line.split(',').count() == 4),
        "{text}"
    );
    let out = ok(&place, &["evaluate", "crop/model.keras", "--data", "wide"]);
    assert!(out.contains("accuracy  1.0000"), "{out}");
    // A folder with only one of the classes gets that label, and one with another class is refused.
    put(&place, "one/middle/a.png", png(&wide(true, 3)));
    let out = ok(&place, &["evaluate", "crop/model.keras", "--data", "one"]);
    assert!(out.contains("accuracy  1.0000"), "{out}");
    put(&place, "other/midle/a.png", png(&wide(true, 3)));
    let message = mistake(&place, &["evaluate", "crop/model.keras", "--data", "other"]);
    assert!(message.contains("did you mean `middle`?"), "{message}");
    ok(
        &place,
        &[
            "predict",
            "crop/model.keras",
            "--data",
            "other",
            "--out",
            "p.csv",
        ],
    );
    // Means and deviations would need the training rows.
    let set = "data.scale=\"standard\"";
    ok(
        &place,
        &["train", "c.toml", "--out", "standard", "--set", set],
    );
    let model = "standard/model.keras";
    let message = mistake(
        &place,
        &["predict", model, "--data", "wide", "--out", "p.csv"],
    );
    assert!(
        message.contains("a TOML file with the [data] of its run"),
        "{message}"
    );
    ok(
        &place,
        &[
            "predict",
            model,
            "--data",
            "standard/config.toml",
            "--out",
            "p.csv",
        ],
    );
    // Folds name the files.
    ok(
        &place,
        &["train", "c.toml", "--out", "folds", "--folds", "2"],
    );
    let text = place.text("folds/predictions.csv");
    assert!(
        text.starts_with("row,fold,file,class,class_predicted,class_ends,class_middle\n0,"),
        "{text}"
    );
    // A built-in set without a scale stays unscaled later.
    let digits = [
        "train",
        "--out",
        "digits",
        "--set",
        "train.epochs=2",
        "--quiet",
    ];
    ok(
        &place,
        &[&digits[..], &["--set", "data.scale=\"none\""]].concat(),
    );
    let by_name = ok(
        &place,
        &[
            "evaluate",
            "digits/model.keras",
            "--data",
            "digits:test",
            "--json",
        ],
    );
    let by_config = ok(
        &place,
        &[
            "evaluate",
            "digits/model.keras",
            "--data",
            "digits/config.toml",
            "--json",
        ],
    );
    assert_eq!(by_name, by_config);
}
