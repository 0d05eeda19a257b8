//! A folder of pictures.

use super::text::Rows;
use crate::data::pictures_of;
use crate::error::Result;

/// The longest side of a picture that the network is given as it is, and the side that a larger one is
/// brought to.
const LARGEST: usize = 128;
const USUAL: usize = 96;

/// Pictures of a class that are needed to give each part its share of them.
const OF_A_CLASS: usize = 20;

/// Looks at a folder, which has a folder for each class.
pub fn look(data: &str) -> Result<Rows> {
    let found = pictures_of(data)?;
    let pictures = found.classes.iter().map(|(_, count)| count).sum();
    let mut rows = Rows::default();
    rows.seen.push(format!(
        "{pictures} pictures in {} class folders:",
        found.classes.len()
    ));
    for (class, count) in &found.classes {
        rows.seen.push(format!("  {class}  {count}"));
    }
    rows.key("images", data);
    let [height, width] = found.size;
    rows.remark(&format!(
        "Height and width of all pictures. The first one has {height} × {width}; larger ones take longer."
    ));
    match height.max(width) <= LARGEST {
        true => rows.key("size", vec![height, width]),
        false => rows.key("size", vec![USUAL, USUAL]),
    }
    rows.data.push(
        "# resize = \"crop\"            # for other proportions: \"stretch\", \"crop\" or \"pad\""
            .into(),
    );
    rows.data.push("# color_mode = \"grayscale\"".into());
    let enough = found.classes.iter().all(|(_, count)| *count >= OF_A_CLASS);
    let way = if enough { "stratify" } else { "shuffle" };
    rows.hold_out(pictures, way, true);
    rows.layers = layers(found.classes.len());
    rows.pictures = true;
    Ok(rows)
}

/// Layers for pictures of so many classes.
fn layers(classes: usize) -> Vec<String> {
    let convolution = |filters: usize| {
        format!(
            "{{ type = \"Conv2D\", filters = {filters}, kernel_size = 3, padding = \"same\", activation = \"relu\", \
             kernel_initializer = \"he_normal\" }}"
        )
    };
    let pool = || "{ type = \"MaxPooling2D\" }".to_owned();
    let mean = "{ type = \"GlobalAveragePooling2D\" }".to_owned();
    let last = format!("{{ type = \"Dense\", units = {classes}, activation = \"softmax\" }}");
    vec![
        convolution(32),
        pool(),
        convolution(64),
        pool(),
        convolution(128),
        mean,
        last,
    ]
}
