//! `portolan doc facets`: how many records there are of each kind.

use std::collections::BTreeMap;

use clap::Args;
use portolan_protocol::{
    api::{DocumentQuery, FacetCounts, FacetValue, Facets},
    record::Facet,
};

use crate::{commands::filters::Filters, context::Context, error::Result, output, text};

/// Values that people are shown of one facet.
const SHOWN_MAX: usize = 12;

#[derive(Args, Debug)]
pub struct Count {
    #[command(flatten)]
    filters: Filters,
    /// Deleted records instead of the others
    #[arg(long)]
    deleted: bool,
}

impl Count {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let query = DocumentQuery { deleted: self.deleted.then_some(true), ..self.filters.list() };
        let mut parts = Vec::new();
        for space in self.filters.spaces(&client).await? {
            parts.push(client.query::<Facets>(&format!("/spaces/{space}/facets"), &query).await?);
        }
        context.output.show(&together(parts), human)
    }
}

/// The counts of several spaces as one.
fn together(parts: Vec<Facets>) -> Facets {
    let mut sum = Facets::default();
    let mut counts: BTreeMap<Facet, (BTreeMap<String, u64>, u64)> = BTreeMap::new();
    for part in parts {
        sum.total += part.total;
        sum.entries_to_index += part.entries_to_index;
        for FacetCounts { facet, values, more } in part.facets {
            let (known, left_out) = counts.entry(facet).or_default();
            *left_out += more;
            values.into_iter().for_each(|value| *known.entry(value.value).or_default() += value.count);
        }
    }
    sum.facets = counts
        .into_iter()
        .map(|(facet, (values, more))| {
            let mut values: Vec<_> = values.into_iter().map(|(value, count)| FacetValue { value, count }).collect();
            values.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.value.cmp(&other.value)));
            FacetCounts { facet, values, more }
        })
        .collect();
    sum
}

fn human(facets: &Facets) -> String {
    let mut out = format!("{}\n", output::count(facets.total, "record", "records"));
    for FacetCounts { facet, values, more } in facets.facets.iter().filter(|counts| !counts.values.is_empty()) {
        out.push_str(&format!("\n{}\n", facet.name()));
        for value in values.iter().take(SHOWN_MAX) {
            out.push_str(&format!("{:>8}  {}\n", value.count, text::shown(&value.value)));
        }
        let left = *more + values.len().saturating_sub(SHOWN_MAX) as u64;
        if left > 0 {
            out.push_str(&format!("{:>8}  {}\n", "", output::count(left, "more value", "more values")));
        }
    }
    if facets.entries_to_index > 0 {
        let entries = output::count(facets.entries_to_index, "entry", "entries");
        out.push_str(&tr!("\nThe counts are not complete yet: {entries} to go.\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_are_counted_together() {
        let part = |count| Facets {
            total: count,
            facets: vec![FacetCounts {
                facet: Facet::Tag,
                values: vec![FacetValue { value: "sea".into(), count }],
                more: 1,
            }],
            entries_to_index: 1,
        };
        let sum = together(vec![part(2), part(3)]);
        assert_eq!((sum.total, sum.facets[0].values[0].count, sum.facets[0].more), (5, 5, 2));
        let shown = human(&sum);
        assert!(shown.contains("\ntag\n       5  sea\n") && shown.contains("2 more values"), "{shown}");
        assert!(shown.contains("not complete yet: 2 entries"), "{shown}");
    }
}
