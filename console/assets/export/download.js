// Owns the download of an export: a stream that is counted, written to the disk where the
// browser can do that, and else kept in memory up to a limit. What was cut off is told,
// and leaves nothing that looks whole.
//
// The base's api.js reads answers as JSON and as a whole, so that this module sends its
// one request itself.
import { ApiError, authorization, get, urlOf } from "../api.js";

/** What a browser that cannot write to the disk is asked to keep in memory. */
export const MOST_IN_MEMORY = 256 * 1024 * 1024;
const REPORT_MS = 120;
const CUT_OFF = "EXPORT CUT OFF";
const TAIL = 512;

/** Whether exports go to the disk as they come. */
export const streamsToDisk = () => typeof globalThis.showSaveFilePicker === "function";

/** An export that did not come to its end. `reason`: "cut", "large" or "disk". */
export class ExportError extends Error {
  constructor(reason, message) {
    super(message);
    this.name = "ExportError";
    this.reason = reason;
  }
}

/**
 * Asks for an export. The answer has begun when this returns, so that what is refused is
 * told before anybody chooses a file.
 * @param {string} teamId
 * @param {Object} query of exportQuery
 * @param {AbortSignal} signal
 * @returns {Promise<{name: string, response: Response, format: string}>}
 */
export async function beginExport(teamId, query, signal) {
  const path = `api/executions/team/${encodeURIComponent(teamId)}/export`;
  const headers = await authorization();
  let response;
  try {
    response = await fetch(urlOf(path, query), {
      headers, signal, cache: "no-store", credentials: "same-origin",
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError("The server cannot be reached.", { code: "NETWORK", status: 0 });
  }
  if (!response.ok) throw await refusal(response);
  return { name: nameOf(response.headers.get("content-disposition"), query.format), response, format: query.format };
}

async function refusal(response) {
  // The base ends a session whose token is refused, when it asks itself.
  if (response.status === 401) await get("api/caller");
  const body = await response.json().catch(() => ({}));
  return new ApiError(body?.message || body?.error || `The server answered ${response.status}.`, {
    code: body?.code ?? `HTTP_${response.status}`, status: response.status, parameter: body?.parameter ?? null,
    requestId: body?.requestId ?? response.headers.get("x-request-id"),
  });
}

/** The server's name for the file, without anything that could be a path. */
function nameOf(disposition, format) {
  const name = /filename="?([^";]+)"?/.exec(disposition ?? "")?.[1] ?? "";
  return name.replace(/[^\w.+-]/g, "_") || `flowtrail-export.${format}`;
}

/**
 * Lets the viewer choose the file. Null where the choice was declined; a SecurityError
 * where the click that asked for it is too long ago.
 * @param {string} name
 * @returns {Promise<?{write: Function, close: Function, discard: Function}>}
 */
export async function chooseFile(name) {
  let handle;
  try {
    handle = await globalThis.showSaveFilePicker({ suggestedName: name });
  } catch (error) {
    if (error.name === "AbortError") return null;
    throw error;
  }
  const wasEmpty = (await handle.getFile()).size === 0;
  // What is written lies beside the file until it is closed: to abort leaves nothing.
  const stream = await handle.createWritable();
  return {
    write: (chunk) => stream.write(chunk),
    close: () => stream.close(),
    discard: async () => {
      await stream.abort().catch(() => {});
      // The picker has made an empty file. One that held something before is not ours.
      if (wasEmpty) await handle.remove?.().catch(() => {});
    },
  };
}

/** A file in memory, which the browser saves at the end. @param {string} name @param {number} [most] */
export function memoryFile(name, most = MOST_IN_MEMORY) {
  const chunks = [];
  let size = 0;
  return {
    write: async (chunk) => {
      size += chunk.length;
      if (size > most) throw new ExportError("large", `The export is larger than ${most / 1024 / 1024} MB, which is as much as this browser is asked to keep in memory.`);
      chunks.push(chunk);
    },
    close: async () => save(new Blob(chunks), name),
    discard: async () => { chunks.length = 0; },
  };
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Reads an export to its end into a file. Throws, and leaves no file, where it is cut off.
 * @param {{response: Response, format: string}} begun
 * @param {{write: Function, close: Function, discard: Function}} file
 * @param {AbortSignal} signal
 * @param {(progress: {bytes: number, rows: number}) => void} onProgress
 * @returns {Promise<{bytes: number, rows: number}>}
 */
export async function readExport({ response, format }, file, signal, onProgress) {
  const counter = counterOf(format);
  try {
    await pump(response.body.getReader(), file, counter, onProgress);
    if (!counter.isWhole()) throw cutOff();
    await file.close();
  } catch (error) {
    await file.discard();
    throw signal.aborted ? new DOMException("Aborted", "AbortError") : error;
  }
  return counter.progress();
}

async function pump(reader, file, counter, onProgress) {
  const timer = setInterval(() => onProgress(counter.progress()), REPORT_MS);
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(() => { throw cutOff(); });
      if (done) return;
      counter.take(value);
      await writeTo(file, value);
    }
  } finally {
    clearInterval(timer);
    // Ends the request where writing has failed; after the end it does nothing.
    reader.cancel().catch(() => {});
  }
}

async function writeTo(file, chunk) {
  try {
    await file.write(chunk);
  } catch (error) {
    if (error instanceof ExportError) throw error;
    throw new ExportError("disk", `The file could not be written: ${error.message}`);
  }
}

const cutOff = () => new ExportError("cut", "The connection was cut before the export's end.");

/**
 * Counts what goes by: rows of CSV (an end of line within quotes is none), or runs of
 * JSON, which stand on a line each; and sees whether the end is the end of a whole.
 * @param {"csv"|"json"} format
 */
export function counterOf(format) {
  let bytes = 0;
  let lines = 0;
  let quoted = false;
  let tail = "";
  const decoder = new TextDecoder();
  const take = (chunk) => {
    bytes += chunk.length;
    for (const byte of chunk) {
      if (byte === 34 && format === "csv") quoted = !quoted;
      else if (byte === 10 && !quoted) lines += 1;
    }
    tail = (tail + decoder.decode(chunk.subarray(-TAIL))).slice(-TAIL);
  };
  // The heading of CSV is no row; JSON has the brackets on lines of their own.
  const rows = () => Math.max(0, lines - (format === "csv" ? 1 : 2));
  const lastLine = () => tail.trimEnd().split("\n").at(-1).replace(/^"/, "");
  const isWhole = () => (format === "csv" ? bytes > 0 && !quoted && tail.endsWith("\n") && !lastLine().startsWith(CUT_OFF) : tail.trimEnd().endsWith("]"));
  return { take, progress: () => ({ bytes, rows: rows() }), isWhole };
}
