//! Prints how the time to mask a text grows with its length, for a team's patterns and for
//! built-in rules that are switched off. Ten times the text must take about ten times as long.
//! The first argument limits the output to pairs that take longer than this number of
//! milliseconds.

use std::time::{Duration, Instant};

use hostile::HOSTILE;
use masking::{Masker, Pattern, Settings, rules};
use patterns::{FILLINGS, PATTERNS};

#[path = "../tests/hostile/mod.rs"]
mod hostile;
#[path = "../tests/hostile/patterns.rs"]
mod patterns;

const SIZES: [usize; 5] = [10_000, 20_000, 40_000, 80_000, 400_000];

/// If one size takes longer, larger sizes are skipped.
const TOO_LONG: Duration = Duration::from_secs(4);

fn main() {
    let shown = std::env::args().nth(1).and_then(|shown| shown.parse().ok());
    let shown = Duration::from_millis(shown.unwrap_or(0));
    println!("   10 KB    20 KB    40 KB    80 KB   400 KB  400/40");
    let all_off = Settings {
        allowed_rules: rules().map(|rule| rule.name.to_owned()).collect(),
        ..Settings::default()
    };
    for (name, settings) in maskers().chain([("(rules off)".to_owned(), all_off)]) {
        let masker = Masker::new(&settings).expect("valid settings");
        for filling in FILLINGS.iter().chain(HOSTILE) {
            print_growth(&masker, &name, filling, shown);
        }
    }
}

fn maskers() -> impl Iterator<Item = (String, Settings)> {
    let own = PATTERNS.iter().map(|pattern| {
        let pattern = (*pattern).to_owned();
        let patterns = vec![Pattern {
            name: "own".to_owned(),
            pattern: pattern.clone(),
        }];
        let settings = Settings {
            patterns,
            ..Settings::default()
        };
        (pattern, settings)
    });
    own.chain([("(built-in)".to_owned(), Settings::default())])
}

fn print_growth(masker: &Masker, name: &str, filling: &str, shown: Duration) {
    let mut times = Vec::new();
    for size in SIZES {
        let text = filling.repeat(size / filling.len());
        let time = measure(masker, &text);
        times.push(time);
        if time > TOO_LONG {
            break;
        }
    }
    if times.iter().max().is_none_or(|most| *most < shown) {
        return;
    }
    for place in 0..SIZES.len() {
        match times.get(place) {
            Some(time) => print!("{:>8.2} ", time.as_secs_f64() * 1e3),
            None => print!("{:>8} ", "-"),
        }
    }
    let ratio = times
        .get(4)
        .map(|most| most.as_secs_f64() / times[2].as_secs_f64());
    println!(
        "{:>7.1}  {name:?} in {filling:?}",
        ratio.unwrap_or(f64::INFINITY)
    );
}

/// The shortest time of up to three runs, because other load only makes runs longer.
fn measure(masker: &Masker, text: &str) -> Duration {
    let run = || {
        let start = Instant::now();
        std::hint::black_box(masker.mask(text).len());
        start.elapsed()
    };
    let first = run();
    if first > Duration::from_millis(300) {
        first
    } else {
        first.min(run()).min(run())
    }
}
