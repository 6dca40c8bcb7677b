// Exports in a browser. Run it with with_server.mjs.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { after, before, test } from "node:test";
import { BASE, open, shot, TOKEN, tokenOf } from "./admin-page.mjs";
import { axe } from "./browser.mjs";

let gate;
before(async () => {
  gate = await startGate();
});
after(() => {
  gate?.server.close();
  gate?.server.closeAllConnections();
});

/** A proxy for the server that can delay and cut off exports. */
async function startGate() {
  const state = { mode: "pass" };
  const server = http.createServer((req, res) => {
    const up = http.request(
      new URL(req.url, BASE),
      { method: req.method, headers: { ...req.headers, host: new URL(BASE).host, "accept-encoding": "identity" } },
      (answer) => {
        res.writeHead(answer.statusCode, answer.headers);
        if (!req.url.includes("/export") || state.mode === "pass") return answer.pipe(res);
        let sent = 0;
        answer.on("data", (chunk) => {
          sent += chunk.length;
          if (sent < 20_000 || state.mode === "all-but-end") return res.write(chunk);
          if (state.mode === "cut") {
            res.write(chunk.subarray(0, 1000), () => res.destroy());
            up.destroy();
          } else if (state.mode === "quiet-end") {
            // Like a proxy that treats the cut as the end.
            res.end("EXPORT CUT OFF: rows are missing\r\n");
            up.destroy();
          }
          // "hold": the beginning and nothing more.
          if (state.mode === "hold") res.write(chunk.subarray(0, 5000));
          answer.pause();
        });
        answer.on("error", () => {});
        answer.on("end", () => res.end());
      },
    );
    up.on("error", () => res.destroy());
    res.on("close", () => up.destroy());
    req.pipe(up);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, state, url: `http://127.0.0.1:${server.address().port}/` };
}

const BLOB_ONLY = () => {
  delete globalThis.showSaveFilePicker;
};
const PICKER = () => {
  globalThis.showSaveFilePicker = async ({ suggestedName }) => {
    const folder = await navigator.storage.getDirectory();
    return folder.getFileHandle(suggestedName, { create: true });
  };
};
const names = (page) =>
  page.evaluate(async () => {
    const list = [];
    for await (const name of (await navigator.storage.getDirectory()).keys()) list.push(name);
    return list.filter((name) => !name.endsWith(".crswap"));
  });

async function openExport(page, filters) {
  await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
  await page.evaluate(async (change) => {
    const { ExportDialog } = await import("./assets/export/dialog.js");
    const { parseFilters } = await import("./assets/runs/filters.js");
    const { html } = await import("./assets/ui/html.js");
    const { render } = await import("preact");
    // Without the Runs page, because two Preact roots would use the same ids.
    render(null, document.getElementById("app"));
    const box = document.body.appendChild(document.createElement("div"));
    const { caller } = await (
      await fetch("api/caller", { headers: { authorization: `Bearer ${sessionStorage.getItem("flowtrail.token")}` } })
    ).json();
    const close = () => render(null, box);
    render(
      html`
        <${ExportDialog} session=${{ caller, can: () => true }} filters=${parseFilters(change)} onClose=${close} />
      `,
      box,
    );
  }, filters);
  return page.getByRole("dialog", { name: "Export runs" });
}

test("an export in memory equals the server's file", async (t) => {
  const page = await open(t, "#/runs", { init: BLOB_ONLY });
  // The demo's runs are from the days before its start.
  const day = (offset) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  const [from, to] = [day(-20), day(1)];
  const filters = {
    flow: "order-pipeline",
    status: "COMPLETED",
    from: `${from}T00:00:00Z`,
    to: `${to}T00:00:00Z`,
    type: "PARENT",
    label: "source=demo",
  };
  const dialog = await openExport(page, filters);
  await dialog.getByText("source=demo").waitFor();
  await shot(page, "export");
  await axe(page);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    dialog.getByRole("button", { name: "Export" }).click(),
  ]);
  await dialog.getByText("The export is complete.").waitFor();
  const path = `api/executions/team/default/export?format=csv&status=SUCCESS&workflowId=order-pipeline&executionType=PARENT&label=source=demo&from=${from}T00:00:00.000Z&to=${to}T00:00:00.000Z`;
  const response = await fetch(new URL(path, BASE), { headers: { authorization: `Bearer ${TOKEN}` } });
  assert.ok(response.headers.get("content-disposition").includes(download.suggestedFilename()));
  const text = await response.text();
  assert.equal(await readFile(await download.path(), "utf8"), text);
  const rows = text.trimEnd().split("\r\n").length - 1;
  assert.ok(rows > 0);
  await dialog.getByText(`${rows.toLocaleString("en-GB")} rows`).waitFor();
});

test("an export to the disk is complete", async (t) => {
  const page = await open(t, "#/runs", { init: PICKER });
  const dialog = await openExport(page, { range: "7d" });
  await dialog.getByText("one run on each line").click();
  await dialog.getByRole("button", { name: "Export" }).click();
  await dialog.getByText("The export is complete.").waitFor();
  const [name] = await names(page);
  const text = await page.evaluate(async (file) => {
    const folder = await navigator.storage.getDirectory();
    return (await (await folder.getFileHandle(file)).getFile()).text();
  }, name);
  const runs = JSON.parse(text);
  assert.match(name, /^flowtrail-default-.*\.json$/);
  await dialog.getByText(`${runs.length.toLocaleString("en-GB")} runs`).waitFor();
});

for (const mode of ["cut", "quiet-end"]) {
  test(`an export that is cut off (${mode}) leaves no file`, async (t) => {
    const page = await open(t, "#/runs", {
      init: PICKER,
      base: gate.url,
      expected: ["ERR_INCOMPLETE_CHUNKED_ENCODING"],
    });
    const dialog = await openExport(page, { range: "7d" });
    gate.state.mode = mode;
    t.after(() => {
      gate.state.mode = "pass";
    });
    await dialog.getByRole("button", { name: "Export" }).click();
    await dialog.getByText("The export was cut off.").waitFor();
    assert.deepEqual(await names(page), []);
    await shot(page, `export-${mode}`);
    gate.state.mode = "pass";
    await dialog.getByRole("button", { name: "Try again" }).click();
    await dialog.getByText("The export is complete.").waitFor();
  });
}

test("an export can be cancelled", async (t) => {
  const page = await open(t, "#/runs", { init: PICKER, base: gate.url });
  const dialog = await openExport(page, { range: "7d" });
  gate.state.mode = "hold";
  t.after(() => {
    gate.state.mode = "pass";
  });
  await dialog.getByRole("button", { name: "Export" }).click();
  await dialog.getByText(/\d+ rows, .* kB/).waitFor();
  await shot(page, "export-running");
  await dialog.getByRole("button", { name: "Cancel the export" }).click();
  await dialog.getByRole("button", { name: "Export" }).waitFor();
  await page.waitForFunction(async () => {
    for await (const name of (await navigator.storage.getDirectory()).keys()) if (name) return false;
    return true;
  });
});

test("a refused export shows the reason", async (t) => {
  const token = await tokenOf(["EXECUTIONS_READ"]);
  const page = await open(t, "#/runs", { init: PICKER, token, expected: [403] });
  const dialog = await openExport(page, {});
  await dialog.getByRole("button", { name: "Export" }).click();
  await dialog.getByText("EXECUTIONS_EXPORT").first().waitFor();
});
