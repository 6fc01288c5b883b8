//! The elections and their rolls: created, imported, confirmed, claimed, frozen.

use anyhow::{Context, Result};
use futures::future::{try_join, try_join3, try_join_all};
use psephos_client::{keystore::KeyRole, voter::Voting};
use psephos_protocol::{invitation::InvitationCode, keys::PublicKey, state::Phase};
use psephos_tests::{
    election::{self, credential},
    fleet::until,
    network::Size,
    person::Person,
    ranked::{Ballots, Ranking},
    voting::Voter,
};
use rand_chacha::ChaCha20Rng;
use std::fs;

use super::scene::{Contest, Kind, Point, Scene};

/// Voters of an election, and how many of them use the command where people do.
const VOTERS: usize = 12;
const PEOPLE: usize = Point::CASTING.len();
/// What voters have in mind.
const VOTES: &str = "# 1 Ada; 2 Grace; 3 Alan\ncount,ranking\n20,1>2\n15,2\n10,3>1\n5,1=2>3\n";

/// Creates the election whose people use the command, and the one whose people use the library, with their rolls.
pub async fn create(scene: &mut Scene<'_>, size: Size) -> Result<(Contest, Contest)> {
    let mut commands = set_up(scene, size, true).await?;
    let mut library = set_up(scene, size, false).await?;
    let chain = scene.fleet.chain_by(None).await?;
    let accepted = |eid| election::until(&chain, eid, Phase::Registration);
    try_join(accepted(commands.eid()), accepted(library.eid())).await?;
    scene.eids = vec![*commands.eid(), *library.eid()];

    let persons: String = (1..=VOTERS).map(|number| format!("person-{number}\n")).collect();
    let persons = format!("identifier\n{persons}");
    let enrolled = library.officials.enroll(&chain, &library.election, &persons, |_| ());
    let (codes, invited) = try_join(enroll_by_commands(scene, &commands, &persons), enrolled).await?;
    commands.codes = codes;
    let codes = invited.iter().flat_map(|invited| invited.codes.iter());
    library.codes = codes.map(|code| code.reveal().to_string()).collect();
    Ok((commands, library))
}

async fn set_up(scene: &Scene<'_>, size: Size, by_commands: bool) -> Result<Contest> {
    let (chain, options) = (scene.fleet.chain_by(None).await?, Ballots::parse(VOTES)?.options);
    let title = if by_commands { "By commands" } else { "By the library" };
    let (election, officials) = election::set_up(&chain, scene.network, size, title, &options).await?;
    let (codes, voters, people, votes) = Default::default();
    Ok(Contest { election, officials, options, by_commands, codes, voters, people, votes })
}

/// The registrar's command is cut off while it submits the roll, a board member's while it confirms.
async fn enroll_by_commands(scene: &Scene<'_>, contest: &Contest, persons: &str) -> Result<Vec<String>> {
    let registrar = scene.person("registrar")?;
    fs::write(registrar.file("persons.csv"), persons)?;
    let (eid, key) = (contest.eid().to_string(), scene.key(KeyRole::Registrar, 1)?);
    let import = ["registrar", "import", "persons.csv", "--election", &eid, "--key", &key];
    let import = [import.as_slice(), &["--out", "invitations.csv"]].concat();
    let signed = registrar.file("invitations.roll");
    registrar.cut_off(&import, until("the signed roll", async || Ok(signed.exists()))).await?;
    scene.note(Point::Registration, "the registrar's client");
    registrar.run(&["registrar", "submit", "invitations.roll"]).await?;
    scene.decide(Point::Registration, contest, "confirm-batch").await?;
    let list = fs::read_to_string(registrar.file("invitations.csv"))?;
    let code = |line: &str| line.rsplit(',').next().map(str::to_owned).context("a line has a code");
    list.lines().skip(1).map(code).collect()
}

/// Everybody registers while a process is killed.
pub async fn register(
    scene: &Scene<'_>,
    contest: &mut Contest,
    kind: Kind,
    draw: &mut ChaCha20Rng,
) -> Result<()> {
    let mut rankings = Ballots::parse(VOTES)?.draw(VOTERS, draw)?;
    let victim = scene.victim(kind);
    let voting = scene.voting(contest, victim).await?;
    let mut codes = contest.codes.clone();
    let by_library = codes.split_off(if contest.by_commands { PEOPLE } else { 0 });
    let people = (1..).zip(&codes).map(|(number, code)| person(scene, contest, number, code));
    let voters = by_library.iter().map(|code| voter(&voting, code, rankings.pop()));
    let reached = scene.reached(Point::Registration, contest.eid(), victim);
    let strike = scene.strike(Point::Registration, victim, reached);
    let (people, voters, ()) = try_join3(try_join_all(people), try_join_all(voters), strike).await?;

    let of_voters = voters.iter().map(|voter| (voter.credential.public(), voter.ranking.clone()));
    let of_people = people.iter().map(|(_, credential)| *credential).zip(rankings);
    contest.votes = of_voters.chain(of_people).collect();
    (contest.voters, contest.people) = (voters, people);
    scene.recovered().await
}

async fn voter(voting: &Voting, code: &str, ranking: Option<Ranking>) -> Result<Voter> {
    let (credential, code) = (credential(), code.parse::<InvitationCode>()?);
    voting.register(&[code], &credential).await?;
    Ok(Voter { credential, ranking: ranking.context("a ranking for each")? })
}

/// Somebody registers with the command; the first one's is cut off once the registration is in a block.
async fn person(
    scene: &Scene<'_>,
    contest: &Contest,
    number: usize,
    code: &str,
) -> Result<(Person, PublicKey)> {
    let person = scene.person(&format!("voter-{number}"))?;
    let keygen = ["voter", "keygen", "--name", "me", "--out", "voter.key", "--insecure-plaintext"];
    let credential = person.run(&keygen).await?["signing"].as_str().context("its public key")?.parse()?;
    let (eid, chain) = (contest.eid(), scene.fleet.witness(None)?.at_best());
    let name = eid.to_string();
    let register = ["voter", "register", "--key", "voter.key", "--election", &name, "--code", code];
    if number == 1 {
        let there = until("the registration", async || Ok(chain.voter(eid, &credential).await?.is_some()));
        person.cut_off(&register, there).await?;
        scene.note(Point::Registration, "a voter's client");
    }
    person.run(&register).await?;
    Ok((person, credential))
}

/// The boards freeze both rolls.
pub async fn freeze(scene: &Scene<'_>, one: &Contest, other: &Contest) -> Result<()> {
    let chain = scene.fleet.chain_by(None).await?;
    try_join(one.officials.open(&chain, one.eid()), other.officials.open(&chain, other.eid()))
        .await
        .map(|_| ())
}
