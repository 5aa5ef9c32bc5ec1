//! Charts of bars as SVG, each beside a table of the same numbers.
//!
//! Lengths are shares of the chart's width, so a chart fits every screen and its text keeps its size.

use super::text::{Number, Text};

/// A chart.
pub(super) struct Chart<'a> {
    /// Its id in the page.
    pub(super) id: &'a str,
    /// What it shows.
    pub(super) title: &'a str,
    /// What a bar is.
    pub(super) of: &'a str,
    /// What stands under the title; markup.
    pub(super) note: String,
    /// What a bar consists of.
    pub(super) series: Vec<Series>,
    /// The bars.
    pub(super) bars: Vec<Bar>,
}

/// What the parts of one colour are.
pub(super) struct Series {
    /// Its name.
    pub(super) name: String,
    /// The style's class of its colour.
    pub(super) colour: &'static str,
}

/// A bar.
pub(super) struct Bar {
    /// Its name.
    pub(super) label: String,
    /// The id of what it is about, in this page.
    pub(super) link: Option<String>,
    /// A number for each of the chart's series.
    pub(super) numbers: Vec<u64>,
}

impl Bar {
    fn total(&self) -> u64 {
        self.numbers.iter().sum()
    }
}

/// A bar with its label, in pixels.
const PITCH: usize = 40;

/// How many characters of a label fit a phone.
const LABEL: usize = 42;

impl Chart<'_> {
    /// The chart and its table.
    pub(super) fn render(&self) -> String {
        let (id, title) = (self.id, self.title);
        let longest = self.bars.iter().map(Bar::total).max().unwrap_or(0);
        let drawn = if longest == 0 {
            "<p>There is nothing to draw.</p>".to_owned()
        } else {
            format!("{}{}", self.legend(), self.drawing(longest))
        };
        format!(
            "<section class=\"chart\" id=\"{id}\">\n<h3>{title}</h3>\n{}<div class=\"pair\">\n<div>{drawn}</div>\n{}</div>\n</section>\n",
            self.note,
            self.table(),
        )
    }

    fn legend(&self) -> String {
        if self.series.len() < 2 {
            return String::new();
        }
        let entry =
            |series: &Series| format!("<li><span class=\"{}\"></span>{}</li>", series.colour, Text(&series.name));
        format!("<ul class=\"legend\">{}</ul>\n", self.series.iter().map(entry).collect::<String>())
    }

    fn drawing(&self, longest: u64) -> String {
        let (id, height) = (self.id, self.bars.len() * PITCH);
        let told = self.bars.iter().map(|bar| format!("{} {}", Text(&bar.label), bar.total())).collect::<Vec<_>>();
        let bars = self.bars.iter().enumerate().map(|(at, bar)| self.bar(bar, at * PITCH, longest)).collect::<String>();
        format!(
            "<svg role=\"img\" aria-labelledby=\"{id}-title\" width=\"100%\" height=\"{height}\">\n\
             <title id=\"{id}-title\">{}: {}</title>\n{bars}</svg>",
            self.title,
            told.join(", "),
        )
    }

    fn bar(&self, bar: &Bar, top: usize, longest: u64) -> String {
        let mut drawn = format!(
            "<text x=\"0\" y=\"{}\">{}</text><text x=\"100%\" y=\"{0}\" class=\"end\">{}</text>\n",
            top + 13,
            Text(&shortened(&bar.label)),
            Number(bar.total()),
        );
        let mut from = 0;
        for (series, &n) in self.series.iter().zip(&bar.numbers).filter(|(_, n)| **n > 0) {
            drawn += &format!(
                "<rect class=\"{}\" x=\"{:.6}%\" y=\"{}\" width=\"{:.6}%\" height=\"14\" data-n=\"{n}\"><title>{}, {}: {}</title></rect>\n",
                series.colour,
                share(from, longest),
                top + 19,
                share(n, longest),
                Text(&bar.label),
                Text(&series.name),
                Number(n),
            );
            from += n;
        }
        drawn
    }

    fn table(&self) -> String {
        let several = self.series.len() > 1;
        let mut table = format!(
            "<div class=\"scroll\" role=\"group\" aria-label=\"{0}\" tabindex=\"0\"><table>\n<caption>{0}</caption>\n<thead><tr><th scope=\"col\">{1}</th>",
            self.title, self.of
        );
        for series in &self.series {
            table += &format!("<th scope=\"col\" class=\"n\">{}</th>", Text(&series.name));
        }
        table += if several {
            "<th scope=\"col\" class=\"n\">All</th></tr></thead>\n<tbody>\n"
        } else {
            "</tr></thead>\n<tbody>\n"
        };
        for bar in &self.bars {
            let label = match &bar.link {
                Some(link) => format!("<a href=\"#{link}\">{}</a>", Text(&bar.label)),
                None => Text(&bar.label).to_string(),
            };
            table += &format!("<tr><th scope=\"row\">{label}</th>");
            let all = several.then(|| bar.total());
            for n in bar.numbers.iter().copied().chain(all) {
                table += &format!("<td class=\"n\">{}</td>", Number(n));
            }
            table += "</tr>\n";
        }
        table + "</tbody>\n</table></div>\n"
    }
}

/// So many of a hundred.
fn share(n: u64, of: u64) -> f64 {
    n as f64 * 100.0 / of as f64
}

fn shortened(label: &str) -> String {
    if label.chars().count() <= LABEL {
        return label.to_owned();
    }
    label.chars().take(LABEL - 1).chain(['…']).collect()
}
