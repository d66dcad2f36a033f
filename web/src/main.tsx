import "uplot/dist/uPlot.min.css";
import "./style/base.css";
import "./style/table.css";
import "./style/charts.css";

import { render } from "preact";

import { Page } from "./pages/page";
import { followLinks } from "./router";

document.addEventListener("click", followLinks);
render(<Page />, document.getElementById("app") as HTMLElement);
