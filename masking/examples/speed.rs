//! Prints the speed of masking for short texts, for a megabyte of log, and for hostile texts,
//! which are designed to be slow. A hostile text of four times the length must take about four
//! times as long.

use std::hint::black_box;
use std::time::{Duration, Instant};

use hostile::HOSTILE;
use masking::Masker;

#[path = "../tests/hostile/mod.rs"]
mod hostile;

const SHORT: [&str; 6] = [
    "Validate Order",
    "Send confirmation mail",
    "ORD-2024-001234 confirmed",
    "Connection to inventory-service:8080 timed out after 30000 ms (attempt 3 of 5), next attempt in 1.5 s",
    "java.lang.IllegalStateException: Order 1234567 not found at com.acme.orders.OrderService.find(OrderService.java:42)",
    "Mail to anna.schmidt@example.com failed: 550 mailbox unavailable, customer phone +49 30 901820",
];

const LOG: &str = "2024-05-17T09:12:44.120Z INFO  [order-worker-3] com.acme.orders.OrderService - Order 8412093 validated in 34 ms, items=3, total=129.90 EUR, requestId=0b5f6a0e-1f7e-4f0e-9a55-2c1b0a6f7d11\n\
2024-05-17T09:12:44.377Z WARN  [http-nio-8080-exec-7] c.a.inventory.Client - GET https://inventory.internal/api/v2/items?sku=AB-1200&limit=50 took 812 ms, status=200\n\
2024-05-17T09:12:45.002Z ERROR [order-worker-1] c.a.payments.Gateway - Declined: code=51 reason=\"insufficient funds\" attempt=2/5 trace=4bf92f3577b34da6a3ce929d0e0e4736\n\
\tat com.acme.payments.Gateway.charge(Gateway.java:118)\n";

const MEGABYTE: usize = 1 << 20;

fn main() {
    let masker = Masker::builtin();
    println!("{:>11}  {:>5}  text", "ns per text", "bytes");
    for text in SHORT {
        let time = per_call(|| masker.mask(text).len());
        println!("{:>11}  {:>5}  {text:.60}", time.as_nanos(), text.len());
    }

    let log = LOG.repeat(MEGABYTE / LOG.len());
    let time = per_call(|| masker.mask(&log).len());
    let speed = log.len() as f64 / time.as_secs_f64() / 1e6;
    println!("\n{speed:.0} MB/s of log without a match");

    println!("\n{:>10}  {:>6}  repeated to a megabyte", "ms", "ratio");
    let mut worst: f64 = 0.0;
    for piece in HOSTILE {
        let quarter = measure(&masker, &piece.repeat(MEGABYTE / 4 / piece.len()));
        let whole = measure(&masker, &piece.repeat(MEGABYTE / piece.len()));
        let ratio = whole.as_secs_f64() / quarter.as_secs_f64();
        worst = worst.max(ratio);
        eprintln!(
            "{:>10.1}  {ratio:>6.1}  {piece:?}",
            whole.as_secs_f64() * 1e3
        );
    }
    println!("\nFour times as much text takes at most {worst:.1} times as long.");
    assert!(worst <= 8.0, "masking is not linear");
}

/// Returns the average time of a call, measured over many calls.
fn per_call(mut call: impl FnMut() -> usize) -> Duration {
    let start = Instant::now();
    let mut calls = 0;
    while start.elapsed() < Duration::from_millis(300) {
        black_box(call());
        calls += 1;
    }
    start.elapsed() / calls
}

/// Returns the shortest time of three measurements, because other load only makes them longer.
fn measure(masker: &Masker, text: &str) -> Duration {
    let run = || {
        let start = Instant::now();
        black_box(masker.mask(text).len());
        start.elapsed()
    };
    run().min(run()).min(run())
}
