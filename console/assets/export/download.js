// Owns the download of an export: a stream that is counted and written to the disk, or, if the
// browser cannot do that, kept in memory up to a limit. An incomplete export is reported, and no
// incomplete file is kept.
import { open } from "../api.js";
import { save } from "../ui/save.js";

/** The maximum size in memory, for browsers that cannot write to the disk. */
export const MAX_MEMORY_BYTES = 256 * 1024 * 1024;
const REPORT_MS = 120;
const CUT_OFF = "EXPORT CUT OFF";
const TAIL = 512;

/** Whether exports are written directly to the disk. */
export const streamsToDisk = () => typeof globalThis.showSaveFilePicker === "function";

/** An incomplete export. `reason`: "cut", "large" or "disk". */
export class ExportError extends Error {
  constructor(reason, message) {
    super(message);
    this.name = "ExportError";
    this.reason = reason;
  }
}

/**
 * Requests an export. It returns after the response has started, so that a refusal is shown before
 * the user chooses a file.
 * @param {string} teamId @param {Object} query of exportQuery @param {AbortSignal} signal
 * @returns {Promise<{name: string, response: Response, format: string}>}
 */
export async function beginExport(teamId, query, signal) {
  const path = `api/executions/team/${encodeURIComponent(teamId)}/export`;
  const response = await open(path, { query, signal });
  return { name: nameOf(response.headers.get("content-disposition"), query.format), response, format: query.format };
}

/** The server's name for the file, without path separators. */
function nameOf(disposition, format) {
  const name = /filename="?([^";]+)"?/.exec(disposition ?? "")?.[1] ?? "";
  return name.replace(/[^\w.+-]/g, "_") || `flowtrail-export.${format}`;
}

/**
 * Asks the user to choose a file. Returns null if the user cancels; throws a SecurityError if the
 * click was too long ago.
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
  // The browser writes to a temporary file until it is closed, so aborting leaves nothing.
  const stream = await handle.createWritable();
  return {
    write: (chunk) => stream.write(chunk),
    close: () => stream.close(),
    discard: async () => {
      await stream.abort().catch(() => {});
      // The picker created an empty file. A file with content existed before and must be kept.
      if (wasEmpty) await handle.remove?.().catch(() => {});
    },
  };
}

/** A file in memory that is saved at the end. @param {string} name @param {number} [most] */
export function memoryFile(name, most = MAX_MEMORY_BYTES) {
  const chunks = [];
  let size = 0;
  return {
    write: async (chunk) => {
      size += chunk.length;
      if (size > most) {
        throw new ExportError(
          "large",
          `The export is larger than ${most / 1024 / 1024} MB, the limit for this browser.`,
        );
      }
      chunks.push(chunk);
    },
    close: async () => save(new Blob(chunks), name),
    discard: async () => {
      chunks.length = 0;
    },
  };
}

/**
 * Reads an export into a file. If it is incomplete, throws and leaves no file.
 * @param {{response: Response, format: string}} started
 * @param {{write: Function, close: Function, discard: Function}} file @param {AbortSignal} signal
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
      const { done, value } = await reader.read().catch(() => {
        throw cutOff();
      });
      if (done) return;
      counter.take(value);
      await writeTo(file, value);
    }
  } finally {
    clearInterval(timer);
    // Ends the request after a failed write; after the end it does nothing.
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

const cutOff = () => new ExportError("cut", "The connection closed before the end of the export.");

/**
 * Counts the rows of CSV (line breaks within quotes are not counted) or the runs of JSON, which has
 * one on each line, and detects whether the stream is complete.
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
  // The header of CSV is not a row; JSON has its brackets on separate lines.
  const rows = () => Math.max(0, lines - (format === "csv" ? 1 : 2));
  const lastLine = () => tail.trimEnd().split("\n").at(-1).replace(/^"/, "");
  const isWhole = () =>
    format === "csv"
      ? bytes > 0 && !quoted && tail.endsWith("\n") && !lastLine().startsWith(CUT_OFF)
      : tail.trimEnd().endsWith("]");
  return { take, progress: () => ({ bytes, rows: rows() }), isWhole };
}
