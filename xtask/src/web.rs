//! The dashboard in web/: built, checked and tested with Node and a browser.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::checkout::Checkout;
use crate::command::{find_tool, output, run, say, step};
use crate::docker::Docker;
use crate::options::Options;
use crate::{no_args, run as binary, setup, test};

/// What the built files are made from, in web/.
const SOURCES: [&str; 6] =
    ["src", "public", "index.html", "package-lock.json", "tsconfig.json", "vite.config.ts"];

/// Builds it where Node is there or can be had, for whoever wants `monitor` in any case.
pub(crate) fn build_if_possible(checkout: &Checkout) {
    if let Err(error) = build(checkout) {
        say(&format!("the dashboard is not built, `monitor serve` goes without: {error:#}"));
    }
}

/// Builds it into web/dist/site, from where `monitor/build.rs` takes it, unless it is there and its sources are older.
pub(crate) fn build(checkout: &Checkout) -> Result<()> {
    let web = Web::of(checkout);
    if web.is_built()? {
        return Ok(());
    }
    web.install()?;
    step("build the dashboard", || run(web.npm().args(["run", "--silent", "build"])))
}

/// Checks the types of the tests too, and tests what needs no browser; `false` if there is no such test.
pub(crate) fn unit_tests(checkout: &Checkout, options: &Options) -> Result<bool> {
    let web = Web::of(checkout);
    web.install()?;
    if options.filter.is_none() {
        step("types and form of the dashboard and its tests", || {
            run(web.npm().args(["run", "--silent", "check"]))
        })?;
    }
    web.tests("unit", options, Vec::new())
}

/// Tests the pages in a browser, with a server and containers; `false` if there is no such test.
pub(crate) fn browser_tests(
    checkout: &Checkout,
    options: &Options,
    environment: Vec<(&'static str, OsString)>,
) -> Result<bool> {
    Web::of(checkout).tests("browser", options, environment)
}

/// Where the README has its pictures.
const PICTURES: &str = "docs/screenshots/";

/// `cargo xtask screenshots`: pictures of every page, of real containers, and those of them that the README shows made small.
pub(crate) fn screenshots_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    no_args("screenshots", args)?;
    setup::require_root("`cargo xtask screenshots`")?;
    build(checkout)?;
    binary::build(checkout)?;
    let workload = step("build the test workload", || test::build_workload(checkout))?;
    let docker = Docker::start(checkout)?;
    let mut environment = test::environment(checkout, &workload, &docker);
    let taken = checkout.target().join("screenshots");
    environment.push(("SCREENSHOTS", taken.clone().into()));
    Web::of(checkout).tests("screenshots", &Options::default(), environment)?;
    setup::for_pictures()?;
    step("make the README's pictures small", || shrink(checkout, &taken))
}

/// Puts the pictures that the README names where it looks for them, with few colours, which is all that they have.
fn shrink(checkout: &Checkout, taken: &Path) -> Result<()> {
    let readme = fs::read_to_string(checkout.root().join("README.md")).context("read README.md")?;
    let folder = checkout.root().join(PICTURES);
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    for name in pictures(&readme) {
        run(Command::new("pngquant")
            .args(["--force", "--strip", "--speed", "1", "--output"])
            .args([folder.join(name), taken.join(name)]))?;
    }
    Ok(())
}

/// Names of files below [`PICTURES`] in a text, each once.
fn pictures(text: &str) -> BTreeSet<&str> {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '.';
    text.split(PICTURES)
        .skip(1)
        .map(|rest| rest.split(|letter| !is_of_name(letter)).next().unwrap_or_default())
        .filter(|name| !name.is_empty())
        .collect()
}

/// The folder web/.
struct Web(PathBuf);

impl Web {
    fn of(checkout: &Checkout) -> Self {
        Self(checkout.root().join("web"))
    }

    fn npm(&self) -> Command {
        let mut npm = Command::new("npm");
        npm.current_dir(&self.0);
        npm
    }

    /// Whether every source is older than what was built of it.
    fn is_built(&self) -> Result<bool> {
        let Some(built) = changed(&self.0.join("dist/site/index.html")) else { return Ok(false) };
        for source in SOURCES {
            if newest(&self.0.join(source))? > Some(built) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes sure that Node is there and what the lock file names is in `node_modules/`.
    fn install(&self) -> Result<()> {
        setup::for_dashboard()?;
        // npm's own record of what it installed.
        let installed = changed(&self.0.join("node_modules/.package-lock.json"));
        if installed.is_some() && installed >= changed(&self.0.join("package-lock.json")) {
            return Ok(());
        }
        step("install what the dashboard is built with", || {
            run(self.npm().args(["ci", "--loglevel", "error", "--no-progress"]))
        })
    }

    /// Runs the tests of a project of web/vitest.config.ts; `false` if there is none.
    fn tests(
        &self,
        project: &str,
        options: &Options,
        mut environment: Vec<(&'static str, OsString)>,
    ) -> Result<bool> {
        if let Some(filter) = &options.filter {
            let listed = output(self.vitest("list", project).args(["--testNamePattern", filter]))?;
            if listed.trim().is_empty() {
                return Ok(false);
            }
        }
        let mut vitest = self.vitest("run", project);
        if let Some(filter) = &options.filter {
            vitest.args(["--testNamePattern", filter]);
        }
        if !environment.is_empty() {
            setup::for_browser()?;
            environment.push(("CHROMIUM", find_tool("chromium").context("find chromium")?.into()));
        }
        run(vitest.envs(environment))?;
        Ok(true)
    }

    fn vitest(&self, command: &str, project: &str) -> Command {
        let mut vitest = Command::new(self.0.join("node_modules/.bin/vitest"));
        vitest.current_dir(&self.0).args([command, "--project", project]);
        vitest
    }
}

/// When a file was changed; `None` if it is not there.
fn changed(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// When a file, or the last one in a folder, was changed.
fn newest(path: &Path) -> Result<Option<SystemTime>> {
    // A folder changes when a file in it is removed.
    let mut newest = changed(path);
    if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("list {}", path.display()))? {
            let below = entry.with_context(|| format!("list {}", path.display()))?.path();
            newest = newest.max(self::newest(&below)?);
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn pictures_are_those_that_a_text_names() {
        let text = "![One](docs/screenshots/one-light.png), <img src=\"docs/screenshots/two.png\"> and \
                    docs/screenshots/one-light.png, `docs/screenshots/`";
        assert_eq!(pictures(text).into_iter().collect::<Vec<_>>(), ["one-light.png", "two.png"]);
    }

    #[test]
    fn what_is_built_is_as_new_as_its_newest_source() {
        let root = std::env::temp_dir().join(format!("xtask-web-{}", std::process::id()));
        let web = Web(root.clone());
        fs::create_dir_all(root.join("src/view")).unwrap();
        fs::create_dir_all(root.join("dist/site")).unwrap();
        fs::write(root.join("src/view/page.tsx"), "old").unwrap();
        assert!(!web.is_built().unwrap());
        fs::write(root.join("dist/site/index.html"), "built").unwrap();
        assert!(web.is_built().unwrap());
        let later = SystemTime::now() + Duration::from_mins(1);
        fs::File::options()
            .write(true)
            .open(root.join("src/view/page.tsx"))
            .and_then(|file| file.set_modified(later))
            .unwrap();
        assert!(!web.is_built().unwrap());
        fs::remove_dir_all(&root).unwrap();
    }
}
