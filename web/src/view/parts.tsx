/** Small things that several pages have. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

/** One of a few, in a row. */
export function Choice<T extends string>(props: {
  label: string;
  options: readonly { value: T; text: string }[];
  value: T | null;
  choose: (value: T) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={props.label}>
      {props.options.map(({ value, text }) => (
        <button type="button" key={value} aria-pressed={value === props.value} onClick={() => props.choose(value)}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** One of several, by name. */
export function Select(props: {
  label: string;
  options: readonly { value: string; text: string; group?: string }[];
  value: string;
  choose: (value: string) => void;
}) {
  const id = useId();
  const groups = [...new Set(props.options.map((option) => option.group ?? ""))];
  return (
    <span class="field">
      <label for={id}>{props.label}</label>
      <select id={id} value={props.value} onChange={(event) => props.choose(event.currentTarget.value)}>
        {groups.map((group) => {
          const options = props.options
            .filter((option) => (option.group ?? "") === group)
            .map(({ value, text }) => (
              <option key={value} value={value}>
                {text}
              </option>
            ));
          return group ? <optgroup label={group}>{options}</optgroup> : options;
        })}
      </select>
    </span>
  );
}

/** A button that shows what is in it; Escape and a click elsewhere close it. */
export function Menu({ label, children }: { label: string; children: ComponentChildren }) {
  const [isOpen, open] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const elsewhere = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) open(false);
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      open(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", elsewhere);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("pointerdown", elsewhere);
      document.removeEventListener("keydown", escape);
    };
  }, [isOpen]);
  return (
    <div class="menu" ref={box}>
      <button type="button" ref={button} aria-expanded={isOpen} onClick={() => open(!isOpen)}>
        {label} <span aria-hidden="true">▾</span>
      </button>
      {isOpen && <div class="menu-box">{children}</div>}
    </div>
  );
}

/** Says what is wrong, or what to do, in the place of what would be here. */
export function Notice({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="notice" role="status">
      <strong>{title}</strong>
      {children && <div>{children}</div>}
    </div>
  );
}
