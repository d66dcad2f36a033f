import { Menu } from "./parts";

/** What can be taken home of a page. */
export function DownloadMenu(props: { json: () => void; csv: () => void; png: () => void }) {
  return (
    <Menu label="Download">
      <button type="button" onClick={props.json}>
        JSON
      </button>
      <button type="button" onClick={props.csv}>
        CSV
      </button>
      <button type="button" onClick={props.png}>
        PNG
      </button>
    </Menu>
  );
}
