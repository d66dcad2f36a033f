import { beforeAll, describe, expect, test } from "vitest";

import type { History } from "../src/api/history";
import { localTime } from "../src/model/units";
import {
  Box,
  Detour,
  HOG,
  IDLE,
  Server,
  close,
  download,
  forgive,
  hasValues,
  open,
  pause,
  unique,
  until,
} from "./harness";

/** The CPUs that a container used in each second of the last minute, as history has them. */
async function used(server: Server, { id }: Box): Promise<number[]> {
  const metric = "cpu.usage_ns_total";
  const query = `from=60s&step=1&metric=${metric}&container=${id}&figure=mean`;
  const { subjects } = await server.json<History>(`/api/v1/history?${query}`);
  const values = subjects[0]?.metrics[metric]?.mean ?? [];
  return values.flatMap((value) => (value === null ? [] : [value / 1e9]));
}

describe("dashboard: pages", () => {
  let server: Server;
  let victim: Box;
  let aggressor: Box;

  beforeAll(async () => {
    // On one CPU, so that they wait for each other.
    const pinned = ["--cpuset-cpus", "0"];
    victim = await Box.start(unique("victim"), HOG, ...pinned);
    aggressor = await Box.start(unique("aggressor"), HOG, ...pinned);
    server = await Server.start();
    await until("some history", async () => (await used(server, victim)).length > 5);
  });

  test("dashboard draws a container's charts, from before it was opened on", async () => {
    const tab = await open(server, `/container/${victim.name}?range=1m`);
    await tab.page.getByRole("heading", { name: victim.name }).waitFor();
    expect(await tab.page.locator("figure.chart").count()).toBeGreaterThanOrEqual(14);
    const cpu = tab.page.getByRole("figure", { name: /^CPU:/ });
    await until("the chart to agree with history", async () => {
      const label = (await cpu.getAttribute("aria-label")) ?? "";
      const told = Number(/used now [\d.]+, at most ([\d.]+)/.exec(label)?.[1] ?? NaN);
      return Math.abs(told - Math.max(...(await used(server, victim)))) < 0.02;
    });
    for (const panel of [
      "Isolation",
      "Per core",
      "Network interfaces",
      "Block devices",
      "File systems",
      "Processes",
      "Events",
    ]) {
      await tab.page.getByRole("region", { name: panel, exact: true }).first().waitFor();
    }
    await tab.page
      .getByRole("region", { name: "Processes", exact: true })
      .first()
      .getByText("busybox")
      .first()
      .waitFor();
    await close(tab);
  });

  test("dashboard shows one cursor in all charts, and zooms all", async () => {
    const tab = await open(server, `/container/${victim.id}?range=1m`);
    const charts = tab.page.locator("figure.chart .u-over");
    await charts.nth(1).waitFor();
    await until("values in the chart", () => hasValues(tab.page.locator("figure.chart").first()));
    const box = await charts.first().boundingBox();
    if (!box) throw new Error("no chart");
    await tab.page.mouse.move(box.x + box.width - 20, box.y + 40);
    await tab.page.locator("figure.chart .legend-time").nth(1).waitFor();
    const [one, other] = await tab.page.locator("figure.chart .legend-time").allInnerTexts();
    expect(one).toBe(other);
    await tab.page.mouse.move(box.x + box.width * 0.5, box.y + 40);
    await tab.page.mouse.down();
    await tab.page.mouse.move(box.x + box.width * 0.9, box.y + 40, { steps: 5 });
    await tab.page.mouse.up();
    await tab.page.getByRole("button", { name: "Back to now" }).waitFor();
    const { searchParams } = new URL(tab.page.url());
    const zoomed = Number(searchParams.get("to")) - Number(searchParams.get("from"));
    expect(zoomed).toBeGreaterThan(15);
    expect(zoomed).toBeLessThan(35);
    await tab.page.goBack();
    await tab.page.getByRole("button", { name: "Back to now" }).waitFor({ state: "detached" });
    await close(tab);
  });

  test("dashboard marks what happened to a container", async () => {
    const name = unique("hungry");
    // A process below the shell, so that the kernel kills that and the container goes on.
    await Box.start(
      name,
      "busybox sleep 4; busybox dd if=/dev/zero of=/dev/null bs=200M count=1; busybox sleep 1000",
      "--memory",
      "24m",
      "--memory-swap",
      "24m",
    );
    const tab = await open(server, `/container/${name}`);
    const events = tab.page.getByRole("region", { name: "Events", exact: true });
    await events
      .getByText(/killed for lack of memory/)
      .first()
      .waitFor();
    // The mark in the charts tells it too, where the cursor is at it.
    const plot = tab.page.locator("figure.chart .u-over").first();
    const told = tab.page.locator(".told").getByText(/killed for lack of memory/);
    await until("the mark", async () => {
      const box = await plot.boundingBox();
      for (let share = 1; box && share > 0.5; share -= 0.01) {
        await tab.page.mouse.move(box.x + box.width * share, box.y + 40);
        if ((await told.count()) > 0) return true;
      }
      return false;
    });
    await close(tab);
  });

  test("dashboard follows without a gap where the connection was cut", async () => {
    const detour = await Detour.start(server);
    const tab = await open(detour, `/container/${victim.id}?range=1m`);
    await until("values in the chart", () => hasValues(tab.page.locator("figure.chart").first()));
    await detour.cut();
    await tab.page.getByText("Connection lost").waitFor();
    await pause(4000);
    await detour.restore();
    await tab.page.locator(".light.is-live").waitFor();
    await pause(2500);
    const { times, metrics } = JSON.parse(String(await download(tab.page, "JSON"))) as {
      times: number[];
      metrics: Record<string, (number | null)[]>;
    };
    const values = metrics["cpu.usage_ns_total"] ?? [];
    const first = values.findIndex((value) => value !== null);
    expect(first).toBeGreaterThanOrEqual(0);
    // The last step may have begun only.
    const missing = times.slice(first, -1).filter((_, place) => values[first + place] === null);
    expect(missing).toEqual([]);
    forgive(tab);
    await close(tab);
  });

  test("dashboard tells who waits for whom", async () => {
    const tab = await open(server, "/interference?range=1m");
    const row = tab.page
      .locator(".matrix tbody tr")
      .filter({ has: tab.page.getByRole("rowheader", { name: victim.name }) });
    await row.locator(`td[title*="for ${aggressor.name}"]`).waitFor();
    await tab.page.getByText(`for container ${aggressor.name}`).first().waitFor();
    await tab.page.getByText(`give ${victim.name} more weight`).first().waitFor();
    await tab.page.getByRole("button", { name: "Block devices" }).click();
    expect(new URL(tab.page.url()).searchParams.get("for")).toBe("block");
    await close(tab);
  });

  test("dashboard compares containers, and another time", async () => {
    const tab = await open(server, "/compare");
    await tab.page.getByText("Choose containers").waitFor();
    for (const { name } of [victim, aggressor]) {
      await until(`${name} to choose`, async () =>
        (await tab.page.getByLabel("Containers").innerText()).includes(name),
      );
      await tab.page.getByLabel("Containers").selectOption({ label: name });
    }
    await tab.page.getByLabel("Metric").selectOption("scheduler.involuntary_switches_total");
    const chart = tab.page.locator("figure.chart");
    await until("two lines", async () => {
      const label = (await chart.getAttribute("aria-label")) ?? "";
      return label.includes(`${victim.name} now`) && label.includes(`${aggressor.name} now`);
    });
    await tab.page.getByLabel("With").selectOption("60");
    await chart.getByText(`${victim.name}, 60 s before`).waitFor();
    await tab.page.locator(".statistics tbody tr").nth(1).waitFor();
    expect(new URL(tab.page.url()).searchParams.getAll("container")).toEqual([victim.id, aggressor.id]);
    // One that is chosen, of a range that stands still.
    await tab.page.getByLabel("With").selectOption({ label: "another time …" });
    const other = tab.page.getByLabel("from", { exact: true });
    const { searchParams } = new URL(tab.page.url());
    await other.fill(localTime(Number(searchParams.get("from")) - 90));
    await chart.getByText(`${victim.name}, 90 s before`).waitFor();
    expect(new URL(tab.page.url()).searchParams.get("before")).toBe("90");
    await close(tab);
  });

  test("dashboard has statistics of one and of all", async () => {
    const tab = await open(server, "/statistics");
    await tab.page.getByRole("link", { name: victim.name }).click();
    await tab.page.getByRole("heading", { name: `Statistics of ${victim.name}` }).waitFor();
    await tab.page.getByText("cpu: usage").first().waitFor();
    await tab.page.locator(".histogram").first().waitFor();
    await close(tab);
  });

  test("dashboard says that a container is not known", async () => {
    const tab = await open(server, "/container/nobody-is-called-so");
    await tab.page.getByText("No container is called nobody-is-called-so").waitFor();
    await close(tab);
  });

  test("dashboard keeps the page of a container that ended", async () => {
    await Box.start(unique("idle"), IDLE);
    const name = unique("ending");
    const box = await Box.start(name, "busybox sleep 6; exit 7");
    const tab = await open(server, `/container/${box.id}`);
    await tab.page.getByRole("heading", { name: `${name} exit 7` }).waitFor();
    await box.remove();
    await until(
      "no snapshot to have it",
      async () => !(await server.snapshot()).containers.some(({ id }) => id === box.id),
    );
    // History alone knows it now, and all of its life is shown.
    await tab.page.reload();
    await tab.page.getByRole("heading", { name: `${name} exit 7` }).waitFor();
    await tab.page.getByRole("button", { name: "its life", pressed: true }).waitFor();
    await until("values in the chart", () => hasValues(tab.page.locator("figure.chart").first()));
    await close(tab);
  });
});
