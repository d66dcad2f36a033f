/** Pictures of every page, of real containers: `cargo xtask screenshots`. */

import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";

import { Box, HOG, IDLE, Server, open, pause, required, until } from "./harness";

/** Seconds of history before the first picture. */
const HISTORY_S = Number(process.env["SCREENSHOTS_AFTER"] ?? 150);
/** Whether pictures of whole pages are made too, and not of what fits a window only. */
const WHOLE = process.env["SCREENSHOTS_WHOLE"] !== undefined;

const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 360, height: 740 };
const SHAPES = [
  { shape: "light", colorScheme: "light", viewport: WIDE },
  { shape: "dark", colorScheme: "dark", viewport: WIDE },
  { shape: "dark-narrow", colorScheme: "dark", viewport: NARROW },
] as const;

const ON_ONE_CPU = ["--cpuset-cpus", "0"];

function ofProject(name: string): string[] {
  return ["--label", `com.docker.compose.project=${name}`];
}

function ofPod(namespace: string, name: string): string[] {
  const label = (key: string, value: string) => ["--label", `io.kubernetes.pod.${key}=${value}`];
  return [...label("namespace", namespace), ...label("name", name), ...label("uid", `uid-of-${name}`)];
}

/** A shop, what it computes at night, and a pod: something of everything that containers do. */
async function shop(): Promise<{ web: Box; ended: Box }> {
  const ended = await Box.start("migrate-db", "busybox seq 1 2000000 > /dev/null; exit 3", ...ofProject("batch"));
  const web = await Box.start(
    "web",
    "busybox dd if=/dev/zero of=/tmp/page bs=64k count=8; busybox httpd -f -p 8080 -h /tmp",
    ...ofProject("shop"),
    ...ON_ONE_CPU,
    ...["--memory", "128m", "--cpus", "0.5"],
  );
  await Box.start(
    "visitors",
    "while :; do busybox wget -q -O /dev/null http://127.0.0.1:8080/page; busybox usleep 8000; done",
    ...ofProject("shop"),
    ...["--network", `container:${web.id}`, "--cpus", "0.5"],
  );
  await Box.start(
    "db",
    `while :; do
       busybox dd if=/dev/zero of=/data bs=64k count=60 conv=fsync
       busybox dd if=/data of=/dev/null bs=64k iflag=direct
       busybox usleep 400000
     done 2> /dev/null`,
    ...ofProject("shop"),
    ...["--memory", "512m"],
  );
  await Box.start(
    "cache",
    `busybox dd if=/dev/zero of=/dev/shm/kept bs=1M count=44; ${IDLE}`,
    ...ofProject("shop"),
    ...["--memory", "64m"],
  );
  await Box.start("render", HOG, ...ofProject("batch"), ...ON_ONE_CPU, "--cpus", "0.6");
  await Box.start("queue", "busybox yes | while read -r line; do :; done", ...ofProject("batch"), "--cpus", "0.3");
  await Box.start(
    "report",
    "while :; do busybox find / -xdev > /dev/null 2>&1; busybox sleep 1; done",
    ...ofProject("batch"),
    ...["--cpus", "0.25"],
  );
  await Box.start(
    "hungry",
    "while :; do busybox dd if=/dev/zero of=/dev/null bs=100M count=1; busybox sleep 40; done",
    ...ofProject("batch"),
    ...["--memory", "24m", "--memory-swap", "24m"],
  );
  const pod = ofPod("payments", "api-7c9f");
  await Box.start(
    "api",
    "while :; do busybox seq 1 3000 > /dev/null; busybox usleep 30000; done",
    ...pod,
    ...ON_ONE_CPU,
  );
  await Box.start("sidecar", "while :; do busybox usleep 20000; done", ...pod);
  return { web, ended };
}

/** Those that are asked for alone, by the beginnings of their names with commas between them. */
const ONLY = process.env["SCREENSHOTS_ONLY"]?.split(",");

test("screenshots", { timeout: 1_200_000 }, async () => {
  const folder = required("SCREENSHOTS");
  mkdirSync(folder, { recursive: true });
  const server = await Server.start();
  const { web, ended } = await shop();
  await pause(HISTORY_S * 1000);
  const { containers } = await server.snapshot();
  const id = (name: string) => containers.find((one) => one.name === name)?.id ?? name;
  expect(containers.length).toBeGreaterThan(8);
  const pages = [
    { name: "overview", path: "/" },
    { name: "groups", path: "/?group=project" },
    { name: "container", path: `/container/${web.id}` },
    { name: "disk", path: `/container/${id("db")}` },
    { name: "ended", path: `/container/${ended.id}` },
    { name: "interference", path: "/interference" },
    { name: "interference-block", path: "/interference?for=block" },
    {
      name: "compare",
      path: `/compare?container=${id("web")}&container=${id("api")}&container=${id("render")}&range=1m&before=60`,
    },
    { name: "statistics", path: `/statistics/${web.id}` },
    { name: "statistics-all", path: "/statistics" },
    { name: "none", path: "/container/nobody" },
  ];
  for (const { name, path } of pages.filter(({ name }) => ONLY?.some((one) => name.startsWith(one)) ?? true)) {
    for (const { shape, colorScheme, viewport } of SHAPES) {
      const { page } = await open(server, path, { colorScheme, viewport });
      await until("live data", async () => (await page.locator(".light.is-live").count()) > 0);
      await pause(4000);
      const file = (whole: string) => resolve(folder, `${name}-${shape}${whole}.png`);
      await page.screenshot({ path: file("") });
      if (WHOLE) await page.screenshot({ path: file("-whole"), fullPage: true });
      await page.context().close();
    }
  }
});
