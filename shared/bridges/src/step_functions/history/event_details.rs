//! Reads the details of events of any kind.

use aws_sdk_sfn::types::HistoryEvent;

use crate::step_functions::Failure;

/// Returns the resource that a scheduled task calls.
pub(super) fn find_resource(event: HistoryEvent) -> Option<String> {
    if let Some(task) = event.task_scheduled_event_details {
        return Some(format!("{}:{}", task.resource_type, task.resource));
    }
    let lambda = event.lambda_function_scheduled_event_details;
    let lambda = lambda.map(|details| details.resource);
    lambda.or_else(|| Some(event.activity_scheduled_event_details?.resource))
}

/// Returns the failure that an event reports, from the first details that contain one.
pub(super) fn find_failure(event: HistoryEvent) -> Option<Failure> {
    macro_rules! first {
        ($($details:ident),* $(,)?) => {
            None$(.or_else(|| event.$details.map(|details| (details.error, details.cause))))*
        };
    }
    let (error, cause) = first!(
        activity_failed_event_details,
        activity_schedule_failed_event_details,
        activity_timed_out_event_details,
        evaluation_failed_event_details,
        execution_aborted_event_details,
        execution_failed_event_details,
        execution_timed_out_event_details,
        lambda_function_failed_event_details,
        lambda_function_schedule_failed_event_details,
        lambda_function_start_failed_event_details,
        lambda_function_timed_out_event_details,
        map_run_failed_event_details,
        task_failed_event_details,
        task_start_failed_event_details,
        task_submit_failed_event_details,
        task_timed_out_event_details,
    )?;
    Failure::new(error, cause)
}
