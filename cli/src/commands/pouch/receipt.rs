//! `portolan pouch receipt`: a partner's word for what arrived, from a medium, a file or a telephone.

use std::{fs::File, io::Read as _, path::Path};

use clap::Args;
use portolan_protocol::{
    api::{ReceiptAnswer, ReceiptRequest},
    pouch::CODE_CHARACTERS_MAX,
};

use super::import;
use crate::{
    context::Context,
    error::{ErrorKind, Result, file, usage},
    medium, text,
};

/// Every code has more letters.
const CODE_CHARACTERS_MIN: usize = 100;
/// A file with a code may hold words around it, or blanks in it, and no more.
const FILE_BYTES_MAX: u64 = 4 * CODE_CHARACTERS_MAX as u64;

#[derive(Args, Debug)]
pub struct Receipt {
    /// A medium, a volume or a file with a code; or the code itself, in as many words as it was written
    #[arg(value_name = "FILE|CODE", required = true)]
    receipt: Vec<String>,
}

impl Receipt {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let typed = self.receipt.join(" ");
        let path = Path::new(&typed);
        let code = match path.metadata() {
            Ok(_) => match medium::search(path)?.volumes {
                volumes if volumes.is_empty() => code_in(path)?,
                volumes => {
                    let mut taken = Vec::new();
                    for found in &volumes {
                        taken.extend(import::take(&client, found, false, |_, _| {}).await?);
                    }
                    if taken.is_empty() {
                        return Err(crate::error::ApiError::new(ErrorKind::PouchRefused, "it is not for this node"));
                    }
                    return context.output.show(&taken, |taken| {
                        let names: Vec<String> = taken.iter().map(|taken| text::shown(&taken.name)).collect();
                        tr!("The receipts of {} were taken. The medium can be used again.\n", names.join(" and "))
                    });
                }
            },
            // A code has no dots and slashes, and is far longer than a slip of the hand.
            Err(error) if typed.contains(['.', '/']) || typed.len() < CODE_CHARACTERS_MIN => {
                return Err(
                    file("find", path, &error).next("Name a medium or a file that is there, or type the whole code.")
                );
            }
            Err(_) => typed.clone(),
        };
        let answer: ReceiptAnswer = client.post("/pouches/receipts", &ReceiptRequest { code }).await?;
        context.output.show(&answer, human)
    }
}

fn code_in(path: &Path) -> Result<String> {
    let mut code = String::new();
    let read = File::open(path).and_then(|opened| opened.take(FILE_BYTES_MAX + 1).read_to_string(&mut code));
    read.map_err(|error| file("read", path, &error))?;
    if code.len() as u64 > FILE_BYTES_MAX {
        return Err(usage(format!("{} is neither a volume nor a code", path.display())).safe("Nothing was changed."));
    }
    Ok(code)
}

fn human(answer: &ReceiptAnswer) -> String {
    let pouch = &answer.pouch;
    let written = pouch.volumes.len();
    let lacking: Vec<String> = (1..=written as u16)
        .filter(|number| !answer.volumes.contains(number))
        .map(|number| number.to_string())
        .collect();
    let volumes = match (lacking.is_empty(), written) {
        (true, 1) => tr!("the volume"),
        (true, _) => tr!("all {written} volumes"),
        (false, _) => tr!("{} of {written} volumes", answer.volumes.len()),
    };
    let news = if answer.news { String::new() } else { tr!("; that was known") };
    let rest = match (lacking.is_empty(), pouch.complete) {
        (true, true) => tr!("All of it has arrived."),
        (true, false) => tr!("It was not written to its end: `portolan pouch resume {} --out DIR`.", pouch.id),
        (false, _) => tr!("Not yet: {}. What does not arrive goes into the next pouch.", lacking.join(", ")),
    };
    tr!("{} holds {volumes} of pouch {}{news}.\n{rest}\n", text::shown(&answer.name), pouch.id)
}
