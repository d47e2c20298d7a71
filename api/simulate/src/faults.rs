//! What goes wrong, as it is written on the command line.

use anyhow::{Context, bail};
use rollcall_entra::transport::Faults;

/// Reads `0.01` (every fault with this probability) or `lost=0.01,bad-values=0.2`.
pub fn parse(text: &str) -> anyhow::Result<Faults> {
    if let Ok(probability) = text.parse() {
        return Ok(Faults::all(checked(probability)?));
    }
    let mut faults = Faults::default();
    for part in text.split(',') {
        let (name, value) = part.split_once('=').with_context(|| {
            format!("{part}: write a name and a probability, such as lost=0.01")
        })?;
        let probability =
            checked(value.parse().with_context(|| format!("{part}: {value} is no number"))?)?;
        match name.trim() {
            "lost" => faults.lost_answers = probability,
            "timeout" => faults.timeouts = probability,
            "duplicate" => faults.duplicates = probability,
            "bad-values" => faults.bad_values = probability,
            other => bail!("{other}: there are lost, timeout, duplicate and bad-values"),
        }
    }
    Ok(faults)
}

fn checked(probability: f64) -> anyhow::Result<f64> {
    if !(0.0..=1.0).contains(&probability) {
        bail!("{probability}: a probability lies between 0 and 1");
    }
    Ok(probability)
}

#[cfg(test)]
mod tests {
    use super::parse;
    use rollcall_entra::transport::Faults;

    #[test]
    fn faults_are_read_by_name_or_all_at_once() {
        assert_eq!(parse("0.5").unwrap(), Faults::all(0.5));
        assert_eq!(
            parse("lost=0.1,bad-values=1").unwrap(),
            Faults { lost_answers: 0.1, bad_values: 1.0, ..Faults::default() }
        );
        for wrong in ["", "lost", "lost=x", "2", "lost=-1", "gone=0.1", "NaN"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
