//! `portolan user`: which logins of this machine may use the node, and as whom.

use clap::{Args, Subcommand};
use portolan_protocol::api::{self, AddUser, Can, Right, Users};

use crate::{
    args::CanArg,
    client::encode,
    context::Context,
    error::Result,
    output::{self, short},
    resolve,
};

#[derive(Subcommand, Debug)]
pub(super) enum User {
    /// Let a login use this node, or change what it may do
    Add(Add),
    /// Who may use this node
    List,
    /// Take a login's rights away; the person's changes keep its name
    Remove {
        /// The login name
        login: String,
    },
}

#[derive(Args, Debug)]
pub(super) struct Add {
    /// The login name on this machine
    login: String,
    /// The person's name, which enters every change the person makes
    #[arg(long)]
    name: String,
    /// What the person may do
    #[arg(long, value_enum)]
    can: CanArg,
    /// In this space alone (name, id, or the start of one)
    #[arg(long)]
    space: Option<String>,
}

impl User {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        match self {
            User::Add(add) => {
                let space = match &add.space {
                    Some(typed) => Some(resolve::space(&client, typed).await?.id),
                    None => None,
                };
                let request = AddUser { login: add.login, name: add.name, can: add.can.into(), space };
                let user: api::User = client.post("/users", &request).await?;
                context.output.show(&user, |user| table(std::slice::from_ref(user)))
            }
            User::List => {
                let users: Users = client.get("/users").await?;
                context.output.show(&users, |users| table(&users.users))
            }
            User::Remove { login } => {
                let user: api::User = client.delete(&format!("/users/{}", encode(&login)), &()).await?;
                context.output.show(&user, |user| {
                    tr!("{} may no longer use this node. Changes made before keep the name.\n", user.login)
                })
            }
        }
    }
}

fn table(users: &[api::User]) -> String {
    let rows: Vec<Vec<String>> = users
        .iter()
        .map(|user| {
            let rights: Vec<String> = user.rights.iter().map(right).collect();
            vec![user.login.clone(), user.name.clone(), rights.join(", "), short(user.person)]
        })
        .collect();
    output::table(&["login", "name", "can", "person"], &rows)
}

fn right(right: &Right) -> String {
    let can = match right.can {
        Can::Read => "read",
        Can::Write => "write",
        Can::Admin => "admin",
    };
    right.space.map_or(can.to_owned(), |space| format!("{can} in {}", short(space)))
}
