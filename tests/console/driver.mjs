// Drives Chromium for the tests: one command a line on standard input, one answer a line on
// standard output. The tests tell the story; this only does what they say.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [modules, executablePath] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server"],
});
const contexts = new Map();
let page = null;
// What the browser itself complains of: violations of the policy, and errors of scripts.
const complaints = [];

function locator({ role, name, label, css, exact }) {
  if (role) return page.getByRole(role, { name, exact: exact ?? false }).first();
  if (label) return page.getByLabel(label, { exact: exact ?? true }).first();
  return page.locator(css).first();
}

const commands = {
  async browser({ as, script = true, theme = "light", width = 1280, height = 900 }) {
    const context = await browser.newContext({
      javaScriptEnabled: script,
      colorScheme: theme,
      viewport: { width, height },
      bypassCSP: false,
    });
    page = await context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    contexts.set(as, { context, page });
  },
  async use({ as }) { page = contexts.get(as).page; },
  async close({ as }) { await contexts.get(as).context.close(); contexts.delete(as); },
  async theme({ theme }) { await page.emulateMedia({ colorScheme: theme }); },
  async print() { await page.emulateMedia({ media: "print" }); },
  async size({ width, height }) { await page.setViewportSize({ width, height }); },
  async goto({ url }) {
    const response = await page.goto(url);
    return response ? response.status() : null;
  },
  async reload() { return (await page.reload()).status(); },
  async click(what) { await locator(what).click({ timeout: 15000 }); },
  async fill(what) { await locator(what).fill(what.value, { timeout: 15000 }); },
  async select(what) { await locator(what).selectOption(what.value, { timeout: 15000 }); },
  async check(what) { await locator(what).check({ timeout: 15000 }); },
  async press({ key }) { await page.keyboard.press(key); },
  async type({ value }) { await page.keyboard.type(value); },
  async text(what) { return (await locator(what).textContent({ timeout: 15000 })).trim(); },
  async count({ css }) { return page.locator(css).count(); },
  async wait({ css, seconds = 20 }) { await page.waitForSelector(css, { timeout: seconds * 1000, state: "attached" }); },
  async url() { return page.url(); },
  async html() { return page.content(); },
  async cookies() { return page.context().cookies(); },
  async storage() {
    return page.evaluate(() => ({ ...localStorage, ...sessionStorage, history: history.length }));
  },
  async focused() {
    return page.evaluate(() => {
      const e = document.activeElement;
      return { tag: e.tagName, text: (e.textContent || e.value || e.id || "").trim().slice(0, 60), href: e.getAttribute("href") };
    });
  },
  // Whether the page is wider than the window.
  async overflows() {
    return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  },
  // Barriers of WCAG 2.2, A and AA. The script comes in by the protocol of the browser's tools, past
  // the policy of the page, which stays in force for the page itself.
  async axe() {
    const session = await page.context().newCDPSession(page);
    await session.send("Runtime.evaluate", { expression: axe });
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
      expression: `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"] })
        .then((found) => JSON.stringify(found.violations.map((v) => ({ rule: v.id, help: v.help, at: v.nodes.slice(0, 5).map((n) => n.html.slice(0, 160) + " | " + (n.any[0]?.message ?? n.all[0]?.message ?? n.none[0]?.message ?? "")) }))))`,
      awaitPromise: true,
    });
    await session.detach();
    if (exceptionDetails) throw new Error(exceptionDetails.text);
    return JSON.parse(result.value);
  },
  async screenshot({ path, full = false }) { await page.screenshot({ path, fullPage: full }); },
  async complaints() { return complaints.splice(0); },
  async bytes() {
    return page.evaluate(() => performance.getEntries()
      .filter((e) => "transferSize" in e).map((e) => [e.name, e.transferSize]));
  },
  // A request as a page of another site would have it made.
  async evaluate({ code }) {
    const session = await page.context().newCDPSession(page);
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression: code, awaitPromise: true, returnByValue: true });
    await session.detach();
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value ?? null;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  try {
    answer = { ok: (await commands[command.do](command)) ?? null };
  } catch (error) {
    answer = { error: String(error.message ?? error).slice(0, 2000) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser.close();
