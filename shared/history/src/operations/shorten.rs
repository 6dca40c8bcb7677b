//! Shortens pages of lists so that they fit into an answer, regardless of the size of their
//! runs.
//!
//! A numbered page has a fixed position in its list, so it cannot end early. Instead, less
//! of each run is shown. The details of a run show everything.

use format::model::{Execution, MAX_ID_LENGTH, ModelUsage, Step, Value};

use super::{ExecutionPage, StepOutline};

/// The most bytes of an error message that lists and statistics show.
pub const MAX_ERROR_LENGTH: usize = 4_000;

/// The most bytes of a page. Lambda allows 6 MB.
const MAX_PAGE_WEIGHT: usize = 5_000_000;

/// The bytes of a run, and of a step, without their texts: field names, times, numbers.
const RUN_WEIGHT: usize = 1_000;
const STEP_WEIGHT: usize = 240;

/// The most bytes of a run's labels: ten of the longest labels that can be searched for.
const MAX_LABELS_WEIGHT: usize = 5_500;

/// The lengths to which texts are shortened, in bytes. The first with which the page fits
/// is used; with the last, every page fits.
const TEXT_LENGTHS: [usize; 6] = [MAX_ERROR_LENGTH, 2_000, 1_000, 500, 250, MAX_ID_LENGTH];

/// The numbers of steps to which each run is cut, in the same way.
const STEP_COUNTS: [usize; 7] = [500, 250, 100, 50, 25, 10, 5];

/// The texts of a run that a list shows, besides ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedTexts {
    /// The flow's name.
    Name,
    /// The flow's name, the trigger and the error.
    Error,
    /// These, the labels, and all other attributes of a run.
    All,
}

/// Shortens the texts of a page's runs, error messages always to [`MAX_ERROR_LENGTH`].
/// Drops the texts that the list does not show, and flags the runs that are not shown
/// completely.
pub fn shorten_page(page: &mut ExecutionPage, listed: ListedTexts) {
    for run in &mut page.executions {
        drop_unlisted(run, listed);
        let labels = run.labels.len();
        let mut left = MAX_LABELS_WEIGHT;
        run.labels.retain(|name, value| {
            let weight = weight(name) + weight(value) + 12;
            let fits = weight <= left;
            left = if fits { left - weight } else { 0 };
            fits
        });
        run.is_shortened |= run.labels.len() < labels;
    }
    for length in TEXT_LENGTHS {
        page.executions
            .iter_mut()
            .for_each(|run| shorten_run(run, length));
        if weight_of_runs(&page.executions) <= MAX_PAGE_WEIGHT {
            break;
        }
    }
}

/// Drops the last steps of runs so that the page with its steps fits, and shortens the
/// names of steps.
pub fn shorten_outlines(page: &ExecutionPage, outlines: &mut [StepOutline]) {
    let left = MAX_PAGE_WEIGHT.saturating_sub(weight_of_runs(&page.executions));
    for outline in outlines.iter_mut() {
        for step in &mut outline.steps {
            for text in [&mut step.step_type, &mut step.step_name]
                .into_iter()
                .flatten()
            {
                shorten(text, MAX_ID_LENGTH);
            }
        }
    }
    for count in STEP_COUNTS {
        for outline in outlines.iter_mut() {
            outline.is_complete &= outline.steps.len() <= count;
            outline.steps.truncate(count);
        }
        let steps = outlines.iter().flat_map(|outline| &outline.steps);
        if steps.map(weight_of_step).sum::<usize>() <= left {
            break;
        }
    }
}

/// Cuts a text to at most `most` bytes. Returns whether it was longer.
pub(super) fn shorten(text: &mut String, most: usize) -> bool {
    let is_longer = text.len() > most;
    text.truncate(text.floor_char_boundary(most));
    is_longer
}

/// Keeps the first models that a run used, as many as fit into `most` bytes. Returns whether there
/// are more.
fn shorten_usage(run: &mut Execution, most: usize) -> bool {
    let mut weight = 0;
    let fits = |used: &&ModelUsage| {
        weight += weight_of_model(used);
        weight <= most
    };
    let count = run.usage.iter().take_while(fits).count();
    let has_more = count < run.usage.len();
    run.usage.truncate(count);
    has_more
}

fn weight_of_model(used: &ModelUsage) -> usize {
    // The field names and the numbers.
    const FIXED: usize = 100;
    FIXED + used.model.as_deref().map_or(0, weight)
}

fn drop_unlisted(run: &mut Execution, listed: ListedTexts) {
    if listed == ListedTexts::All {
        return;
    }
    run.labels.clear();
    run.usage.clear();
    run.dropped_steps = None;
    run.flow_version = None;
    run.parent_execution_id = None;
    run.cancelled_by = None;
    run.cancel_reason = None;
    if listed == ListedTexts::Name {
        run.trigger = None;
        run.error_message = None;
    }
}

fn shorten_run(run: &mut Execution, most: usize) {
    let texts = [
        &mut run.error_message,
        &mut run.flow_name,
        &mut run.trigger,
        &mut run.cancel_reason,
        &mut run.cancelled_by,
        // No id is longer than the smallest of the lengths.
        &mut run.flow_id,
        &mut run.device_id,
        &mut run.parent_execution_id,
    ];
    for text in texts.into_iter().flatten() {
        run.is_shortened |= shorten(text, most);
    }
    run.is_shortened |= shorten_usage(run, 2 * most);
    let is_long = |version: &Value| version.json_size() > most;
    if run.flow_version.as_ref().is_some_and(is_long) {
        run.flow_version = None;
        run.is_shortened = true;
    }
}

fn weight_of_runs(runs: &[Execution]) -> usize {
    runs.iter().map(weight_of_run).sum()
}

fn weight_of_run(run: &Execution) -> usize {
    let texts = [
        &run.error_message,
        &run.flow_name,
        &run.trigger,
        &run.cancel_reason,
        &run.cancelled_by,
        &run.flow_id,
        &run.device_id,
        &run.parent_execution_id,
    ];
    let texts = texts.into_iter().flatten().map(|text| weight(text));
    let labels = run.labels.iter();
    let labels = labels.map(|(name, value)| weight(name) + weight(value) + 12);
    let version = run
        .flow_version
        .as_ref()
        .map_or(0, |version| 2 * version.json_size());
    let usage = run.usage.iter().map(weight_of_model);
    let texts = texts.chain(labels).chain(usage).sum::<usize>();
    RUN_WEIGHT + weight(&run.execution_id) + texts + version
}

fn weight_of_step(step: &Step) -> usize {
    let texts = [&step.step_type, &step.step_name].into_iter().flatten();
    STEP_WEIGHT + step.id().map_or(0, weight) + texts.map(|text| weight(text)).sum::<usize>()
}

/// Returns the length of a text as JSON inside a JSON string, which is how Lambda receives
/// an answer.
fn weight(text: &str) -> usize {
    let weigh = |byte| match byte {
        b'"' | b'\\' => 4,
        b'\n' | b'\r' | b'\t' => 3,
        0..0x20 => 7,
        _ => 1,
    };
    text.bytes().map(weigh).sum()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;
    use format::model::Item;

    fn runs(count: usize, error: &str, labels: &[(String, String)]) -> ExecutionPage {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let labels = labels
            .iter()
            .map(|(name, value)| (name.clone(), text(value)));
        let item = Item::from_iter([
            ("pk".to_owned(), text("EXEC#a")),
            ("sk".to_owned(), text("EXECUTION")),
            ("errorMessage".to_owned(), text(error)),
            ("cancelReason".to_owned(), text(error)),
            ("labels".to_owned(), AttributeValue::M(labels.collect())),
        ]);
        let run = Execution::from_item(item).expect("a run");
        ExecutionPage {
            executions: vec![run; count],
            next_token: None,
            total: None,
        }
    }

    #[test]
    fn cutting_an_error_keeps_characters_whole_and_flags_the_run() {
        let mut page = runs(1, &"é".repeat(2_001), &[]);
        shorten_page(&mut page, ListedTexts::All);
        let run = &page.executions[0];
        assert_eq!(run.error_message, Some("é".repeat(2_000)));
        assert!(run.is_shortened);
        let mut page = runs(500, "short", &[("a".to_owned(), "b".to_owned())]);
        let before = page.executions.clone();
        shorten_page(&mut page, ListedTexts::All);
        assert_eq!(page.executions, before);
    }

    #[test]
    fn every_page_fits_after_shortening() {
        let labels: Vec<_> = (0..100)
            .map(|n| (format!("label{n:03}"), "v".repeat(500)))
            .collect();
        for error in [
            "x".repeat(13_000),
            "\u{1b}".repeat(13_000),
            "\"\\".repeat(6_500),
        ] {
            for labels in [&labels[..], &labels[..10], &[]] {
                let mut page = runs(500, &error, labels);
                shorten_page(&mut page, ListedTexts::All);
                assert!(weight_of_runs(&page.executions) <= MAX_PAGE_WEIGHT);
                let run = &page.executions[0];
                assert_eq!(run.labels.len(), labels.len().min(10));
                let length = run.error_message.as_ref().map_or(0, String::len);
                assert!(length >= MAX_ID_LENGTH, "{length}");
            }
        }
    }

    #[test]
    fn unlisted_texts_do_not_count_towards_the_page_size() {
        let long = "x".repeat(5_000);
        let labels = [("a".to_owned(), long.clone())];
        for (listed, is_shortened) in [
            (ListedTexts::Name, false),
            (ListedTexts::Error, true),
            (ListedTexts::All, true),
        ] {
            let mut page = runs(1, &long, &labels);
            shorten_page(&mut page, listed);
            let run = &page.executions[0];
            assert_eq!(run.is_shortened, is_shortened, "{listed:?}");
            assert_eq!(run.labels.len(), usize::from(listed == ListedTexts::All));
        }
    }

    #[test]
    fn a_list_shows_the_first_models_of_a_run() {
        let model = |number: u64| ModelUsage {
            model: Some(format!("model-{number:03}")),
            input_tokens: Some(number),
            output_tokens: None,
        };
        let with_models = |runs_on_page: usize, count: u64| {
            let mut page = runs(runs_on_page, "x", &[]);
            for run in &mut page.executions {
                run.usage = (0..count).map(model).collect();
                run.dropped_steps = Some(1);
            }
            page
        };
        // Each takes 109 bytes.
        for (runs, count, shown) in [(1, 73, 73), (1, 74, 73), (500, 100, 73), (3_000, 100, 4)] {
            let mut page = with_models(runs, count);
            shorten_page(&mut page, ListedTexts::All);
            let run = &page.executions[0];
            assert_eq!(run.usage.len(), shown, "{count} models of {runs} runs");
            assert_eq!(run.is_shortened, shown < count as usize);
            assert_eq!(run.dropped_steps, Some(1));
        }
        let mut page = with_models(1, 100);
        shorten_page(&mut page, ListedTexts::Error);
        let run = &page.executions[0];
        assert!(run.usage.is_empty() && run.dropped_steps.is_none() && !run.is_shortened);
    }

    #[test]
    fn each_run_shows_as_many_steps_as_fit() {
        let page = runs(500, "", &[]);
        let key = (
            "sk".to_owned(),
            AttributeValue::S("STEP#2026-11-23T10:00:00.000Z#a".to_owned()),
        );
        let name = ("stepType".to_owned(), AttributeValue::S("x".repeat(1_000)));
        let step = Step::from_item(Item::from_iter([key, name])).expect("a step");
        let outline = |count| StepOutline {
            steps: vec![step.clone(); count],
            is_complete: true,
        };
        let mut outlines: Vec<_> = (0..500).map(|run| outline(run % 50)).collect();
        shorten_outlines(&page, &mut outlines);
        for (run, outline) in outlines.iter().enumerate() {
            assert_eq!(outline.steps.len(), (run % 50).min(25));
            assert_eq!(outline.is_complete, run % 50 <= 25);
        }
    }
}
