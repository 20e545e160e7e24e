//! `portolan space`: spaces, their members, their epochs.

use clap::{Args, Subcommand};
use portolan_protocol::api::{self, CreateSpace, Grant, Member, Members, NameSpace, Revoked, Rotated, Spaces};

use super::status;
use crate::{
    args::{RoleArg, role_name},
    context::Context,
    error::Result,
    output::{self, count, short},
    resolve, text,
};

#[derive(Subcommand, Debug)]
pub(super) enum Space {
    /// Make a space; this node is its root
    Create {
        /// What this node calls it; names are local
        name: String,
    },
    /// The spaces of this node
    List,
    /// One space
    Show {
        /// Its name, its id, or the start of one
        space: String,
    },
    /// Give a space another name on this node
    Name {
        /// Its name, its id, or the start of one
        space: String,
        /// The new name
        name: String,
    },
    /// Who takes part
    Members {
        /// The space: its name, its id, or the start of one
        space: String,
    },
    /// Make a verified peer a member, or give a member another role
    Grant(GrantArgs),
    /// Remove a member: its later entries count nowhere, and it can read nothing that is written after
    Revoke {
        /// The space: its name, its id, or the start of one
        space: String,
        /// The member: its name, its id, or the start of one
        peer: String,
    },
    /// Change the content secret
    Rotate {
        /// The space: its name, its id, or the start of one
        space: String,
    },
}

#[derive(Args, Debug)]
pub(super) struct GrantArgs {
    /// The space: its name, its id, or the start of one
    space: String,
    /// The peer: its name, its id, or the start of one
    peer: String,
    /// What it may do
    #[arg(long, value_enum)]
    role: RoleArg,
    /// It may not read what was written before
    #[arg(long)]
    no_history: bool,
}

impl Space {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        match self {
            Space::Create { name } => {
                let space: api::Space = client.post("/spaces", &CreateSpace { name }).await?;
                context.output.show(&space, |space| {
                    tr!(
                        "{}  {}\nGrant others access with `portolan space grant`.\n",
                        text::shown(&space.name),
                        space.id
                    )
                })
            }
            Space::List => {
                let spaces: Spaces = client.get("/spaces").await?;
                context.output.show(&spaces, |spaces| status::spaces(&spaces.spaces))
            }
            Space::Show { space } => {
                let space = resolve::space(&client, &space).await?;
                context
                    .output
                    .show(&space, |space| format!("id  {}\n", space.id) + &status::spaces(std::slice::from_ref(space)))
            }
            Space::Name { space, name } => {
                let id = resolve::space(&client, &space).await?.id;
                let space: api::Space = client.patch(&format!("/spaces/{id}"), &NameSpace { name }).await?;
                context.output.show(&space, |space| tr!("{} is now called {}\n", space.id, text::shown(&space.name)))
            }
            Space::Members { space } => {
                let id = resolve::space(&client, &space).await?.id;
                let members: Members = client.get(&format!("/spaces/{id}/members")).await?;
                context.output.show(&members, |members| table(&members.members))
            }
            Space::Grant(grant) => {
                let id = resolve::space(&client, &grant.space).await?.id;
                let node = resolve::peer(&client, &grant.peer).await?.node;
                let request = Grant { node, role: grant.role.into(), history: !grant.no_history };
                let member: Member = client.post(&format!("/spaces/{id}/members"), &request).await?;
                context.output.show(&member, |member| table(std::slice::from_ref(member)))
            }
            Space::Revoke { space, peer } => {
                let id = resolve::space(&client, &space).await?.id;
                let node = resolve::member(&client, id, &peer).await?;
                let revoked: Revoked = client.delete(&format!("/spaces/{id}/members/{node}"), &()).await?;
                context.output.show(&revoked, |revoked| {
                    tr!("{peer} is removed. What it wrote so far stays; what it writes from now on counts nowhere.\nEpoch {} is \
                         open to {}; what is written in it the removed member cannot read. What it has read it keeps.\n",
                        short(revoked.epoch),
                        count(revoked.recipients.into(), "member", "members"),
                    )
                })
            }
            Space::Rotate { space } => {
                let id = resolve::space(&client, &space).await?.id;
                let rotated: Rotated = client.post(&format!("/spaces/{id}/epochs"), &serde_json::json!({})).await?;
                context.output.show(&rotated, |rotated| {
                    let members = count(rotated.recipients.into(), "member", "members");
                    tr!("Epoch {} is open to {members}.\n", short(rotated.epoch))
                })
            }
        }
    }
}

fn table(members: &[Member]) -> String {
    let rows: Vec<Vec<String>> = members
        .iter()
        .map(|member| {
            let role = if member.role.is_none() { tr!("removed") } else { role_name(member.role).to_owned() };
            vec![
                member.name.clone().unwrap_or_else(|| tr!("(card not held)"))
                    + &if member.own { tr!(" (this node)") } else { String::new() },
                short(member.node),
                role,
                if member.history { tr!("all") } else { tr!("since it came") },
                short(member.organisation),
            ]
        })
        .collect();
    output::table(&["name", "id", "role", "reads", "organisation"], &rows)
}
