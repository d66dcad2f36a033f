/** The head of every page: where one can go, what machine it is, and whether what is shown is true now. */

import type { ComponentChildren } from "preact";

import { location } from "../router";
import { moment, span } from "../model/units";
import { host, status } from "./status";

const PAGES = [
  { path: "/", text: "Overview" },
  { path: "/interference", text: "Interference" },
  { path: "/compare", text: "Compare" },
  { path: "/statistics", text: "Statistics" },
] as const;

export function Shell({ children }: { children: ComponentChildren }) {
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="head">
        <a class="brand" href="/">
          <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
            <rect width="16" height="16" rx="3" />
            <path d="M2 9h3l2-5 3 9 2-4h2" />
          </svg>
          monitor
        </a>
        <nav aria-label="Pages">
          {PAGES.map(({ path, text }) => (
            <a key={path} href={path} aria-current={isAt(path) ? "page" : undefined}>
              {text}
            </a>
          ))}
        </nav>
        <HostName />
        <StatusLight />
      </header>
      <Trouble />
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

function isAt(path: string): boolean {
  const here = location.value.path;
  return path === "/" ? here === "/" || here.startsWith("/container/") : here === path || here.startsWith(`${path}/`);
}

function HostName() {
  const machine = host.value;
  if (!machine) return <span class="host-name" />;
  return (
    <span class="host-name">
      <strong>{machine.hostname}</strong> <span class="dim">Linux {machine.kernel_release}</span>
    </span>
  );
}

const TOLD = { connecting: "connecting", live: "live", late: "late", lost: "lost" } as const;

function StatusLight() {
  const { is, takenAt } = status.value;
  return (
    <span class={`light is-${is}`} title={takenAt === null ? "" : `measured at ${moment(takenAt)}`}>
      <span class="dot" aria-hidden="true" />
      {TOLD[is]}
    </span>
  );
}

/** What is wrong, and how old what is shown is. */
function Trouble() {
  const { is, takenAt, age, why } = status.value;
  const isWrong = is === "lost" || is === "late";
  return (
    <div class="trouble" role="status" data-shown={isWrong}>
      {isWrong && (
        <>
          <strong>{is === "lost" ? "Connection lost" : "No news"}</strong>: {why}.{" "}
          {takenAt === null
            ? "Trying again."
            : `What is shown was measured at ${moment(takenAt)}, ${span(age)} ago. Trying again.`}
        </>
      )}
    </div>
  );
}
