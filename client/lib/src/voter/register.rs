//! Registering (spec 4.3): the voter's own credential is put on the roll with the invitation's codes.

use bounded_collections::BoundedVec;
use psephos_protocol::{
    election::Election,
    ids::{Anchor, Eid},
    invitation::{InvitationCode, InvitationError},
    keys::{PublicKey, SigningKey},
    refusal::Refusal,
    roll::{Access, Registration},
    state::RegisteredVoter,
    transcript,
    wire::Message,
};
use rand_core::OsRng;

use super::VoterError;
use crate::{chain::Chain, election::explain_phase, error::ChainError};

/// A credential that is on the roll, proved at a block that is proved to be final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The voter as the roll has it.
    pub voter: RegisteredVoter,
    /// The block.
    pub block: Anchor,
}

/// Puts a credential on the roll with the one or two codes of an invitation, in any order, and waits until
/// that is final. Doing it again with the same credential does no harm.
///
/// # Errors
/// [`VoterError::NotInvited`], [`VoterError::OtherCodes`], [`VoterError::Claimed`], or what the chain says.
pub async fn register(
    chain: &Chain,
    election: &Election,
    codes: &[InvitationCode],
    credential: &SigningKey,
) -> Result<Registered, VoterError> {
    let eid = election.eid;
    let (entry, keys) = find_entry(chain, election, codes).await?;
    let state = chain.at_best().entry(&eid, entry).await?.ok_or(VoterError::NotInvited(eid))?;
    let needed = match &state.entry.access {
        Access::Invitation(needed) => needed,
        Access::Credential(_) => return Err(VoterError::NotInvited(eid)),
    };
    if needed.len() != keys.len() || needed.iter().zip(&keys).any(|(needed, key)| *needed != key.public()) {
        return Err(VoterError::OtherCodes { entry, needed: needed.len(), given: keys.len() });
    }
    let public = credential.public();
    match state.credential {
        Some(claimed) if claimed != public => return Err(VoterError::Claimed { entry, credential: claimed }),
        _ => {}
    }
    if let Some(registered) = look_up(chain, &eid, &public).await? {
        return Ok(registered);
    }
    let message = Message::Register(sign(election, entry, &keys, credential));
    let block = match chain.submit_and_finalize(&message).await {
        Ok(anchor) => anchor.number,
        // It may be this very credential that is on the roll, by an attempt before.
        Err(ChainError::Refused(Refusal::AlreadyRegistered | Refusal::DuplicateCredential)) => {
            let credential = chain.at_best().entry(&eid, entry).await?.and_then(|state| state.credential);
            match credential {
                Some(claimed) if claimed == public => chain.best().await?.number,
                Some(credential) => return Err(VoterError::Claimed { entry, credential }),
                None => return Err(ChainError::Refused(Refusal::DuplicateCredential).into()),
            }
        }
        Err(error) => return Err(explain_phase(chain, &eid, "Registration", error).await.into()),
    };
    chain.wait_finalized("the registration", 8, || look_up(chain, &eid, &public)).await.map_err(|error| {
        match error {
            ChainError::Timeout { .. } => VoterError::NotRegistered { block, entry },
            other => other.into(),
        }
    })
}

/// Whether a credential is on the roll, by proof.
async fn look_up(chain: &Chain, eid: &Eid, credential: &PublicKey) -> Result<Option<Registered>, ChainError> {
    let proved = chain.proved_final().await?;
    let voter = proved.registered(eid, credential).await?;
    Ok(voter.map(|voter| Registered { voter, block: proved.anchor() }))
}

/// The registration that these keys sign.
pub(super) fn sign(
    election: &Election,
    entry: u32,
    invitations: &[SigningKey],
    credential: &SigningKey,
) -> Registration {
    let public: PublicKey = credential.public();
    let payload = transcript::registration(entry, &public);
    let signatures = (0u32..)
        .zip(invitations)
        .map(|(index, key)| {
            key.sign(&Registration::invitation_signable(election, index, &payload), &mut OsRng)
        })
        .collect();
    Registration {
        eid: election.eid,
        entry,
        credential: public,
        invitations: BoundedVec::truncate_from(signatures),
        possession: credential.sign(&Registration::possession_signable(election, &payload), &mut OsRng),
    }
}

/// The roll entry of these codes, and the invitation keys in the entry's order.
async fn find_entry(
    chain: &Chain,
    election: &Election,
    codes: &[InvitationCode],
) -> Result<(u32, Vec<SigningKey>), VoterError> {
    if codes.is_empty() || codes.len() > 2 {
        return Err(VoterError::Codes(codes.len()));
    }
    // A code's key depends on its channel, and people may give the two codes in either order.
    let mut order = codes.to_vec();
    for _ in 0..codes.len() {
        let keys = derive(election, order.clone()).await?;
        if let Some(key) = keys.first() {
            if let Some(entry) = chain.at_best().entry_of(&election.eid, &key.public()).await? {
                return Ok((entry, keys));
            }
        }
        order.rotate_left(1);
    }
    Err(VoterError::NotInvited(election.eid))
}

/// Derives the keys of codes; each costs 8 MiB of memory and some hundredths of a second.
async fn derive(election: &Election, codes: Vec<InvitationCode>) -> Result<Vec<SigningKey>, VoterError> {
    let eid = election.eid;
    tokio::task::spawn_blocking(move || {
        (0u32..)
            .zip(&codes)
            .map(|(channel, code)| code.signing_key(&eid, channel))
            .collect::<Result<_, InvitationError>>()
    })
    .await
    .map_err(|_| VoterError::Device)?
    .map_err(VoterError::from)
}
