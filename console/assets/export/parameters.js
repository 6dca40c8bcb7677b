// Owns the parameters of an export, made from the filters of the Runs page.
import { limits } from "../config.js";
import { windowOf } from "../runs/filters.js";

const STATUS = { COMPLETED: "SUCCESS" };

/**
 * The query of the export.
 * @param {import("../runs/filters.js").Filters} filters
 * @param {"csv"|"json"} format
 */
export function exportQuery(filters, format) {
  // The fixed time of a list (`asof`) is for its pages only.
  const { from, to } = windowOf({ ...filters, asof: "" });
  return {
    format,
    from,
    to,
    days: from ? null : limits().statisticsDays,
    status: STATUS[filters.status] ?? filters.status,
    workflowId: filters.flow,
    deviceId: filters.device,
    executionType: filters.type,
    label: filters.label,
  };
}

/**
 * The command that writes the same file without a server.
 * @param {string} teamId @param {Object} query from exportQuery
 */
export function commandOf(teamId, { format, from, to, days, status, workflowId, deviceId, executionType, label }) {
  const options = [
    ["team", teamId],
    ["format", format],
    ["from", from],
    ["to", to],
    ["days", days],
    ["status", status],
    ["flow", workflowId],
    ["device", deviceId],
    ["type", executionType],
    ["label", label],
  ];
  const given = options.filter(([, value]) => value).map(([name, value]) => `--${name} ${quoted(String(value))}`);
  return ["flowtrail export", ...given, "--gzip --output ."].join(" ");
}

const quoted = (text) => (/^[\w.:@/+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
