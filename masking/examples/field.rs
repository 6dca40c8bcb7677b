//! Masks the texts of a file of the corpus, and prints those that are not right:
//! `cargo run --release -p masking --example field -- masking/tests/field/known/shapes.jsonl`.

#[path = "../tests/field/corpus.rs"]
mod corpus;

use std::path::Path;

fn main() {
    for path in std::env::args().skip(1) {
        let figures = corpus::Figures::measure(Path::new(&path));
        for (form, masked, leak) in &figures.wrong {
            println!("--- {form}: {leak:?}\n{masked}");
        }
        for (form, (right, count)) in &figures.forms {
            if right < count {
                println!("{form}: {right} of {count}");
            }
        }
        println!("{path}: {:.2} % of {}", figures.right(), figures.count());
    }
}
