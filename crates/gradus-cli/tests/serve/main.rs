//! `gradus serve`, over sockets.

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod client;
mod limits;
#[cfg(unix)]
mod signals;

use common::Place;

/// Rows of a table with an id, gaps, a boolean, dates, a category, and classes that need quotes.
pub fn table(rows: u32) -> String {
    let mut text = String::from("id,size,heated,sold,town,species\n");
    for k in 0..rows {
        let size = k * 37 % 101;
        let (heated, town) = (
            ["no", "yes"][k as usize % 2],
            ["Graz", "Bern", "Oslo"][k as usize % 3],
        );
        let species = if size > 50 { "a" } else { "\"b, c\"" };
        let unless = |every: u32, cell: &str| match k % every {
            0 => String::new(),
            _ => cell.to_owned(),
        };
        let sold = format!("{:02}.{:02}.2024", k % 28 + 1, k % 12 + 1);
        text += &format!(
            "k{k},{},{},{},{},{species}\n",
            unless(17, &format!("{}", f64::from(size) / 8.0)),
            unless(29, heated),
            unless(31, &sold),
            unless(23, town),
        );
    }
    text
}

/// A model of a table, in the run folder `run`.
pub fn trained() -> Place {
    let place = Place::new();
    place.write("table.csv", table(160));
    place.write(
        "table.toml",
        "data.table = \"table.csv\"\ndata.target = \"species\"\ndata.columns = { id = \"id\" }\n\
         model = { recipe = \"default\", hidden = [8] }\ntrain.epochs = 3\n",
    );
    place.ok(&["train", "table.toml", "--out", "run", "--quiet"]);
    place
}

/// A model of arrays with dropout, in the run folder `digits`.
pub fn of_digits() -> Place {
    let place = Place::new();
    place.write("digits.toml", common::SMALL);
    let few = ["--set", "train.epochs=1", "--out", "digits", "--quiet"];
    place.ok(&[&["train", "digits.toml"][..], &few].concat());
    place
}

/// A `.npy` file of rows of 8 × 8 numbers.
pub fn digits(rows: usize) -> Vec<u8> {
    let mut file = common::npy(&[rows, 8, 8]);
    let start = file.len() - 4 * 64 * rows;
    for (n, number) in file[start..].chunks_mut(4).enumerate() {
        number.copy_from_slice(&((n * 7 % 17) as f32 / 16.0).to_le_bytes());
    }
    file
}
