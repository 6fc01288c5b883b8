//! What can print itself: no secret, so that no log and no error message has one (spec 11.4).

use psephos_protocol::{
    ballot::{AuditOpening, Choices, Prepared, Seed, Signed},
    certificate::CertificateKey,
    envelope::KemKey,
    group::ScalarBytes,
    keys::SigningKey,
    shares::Share,
    tally::ShareSums,
    transcript::Expander,
};
use std::fmt::{Debug, Display};

/// Compiles only for types that neither `{}` nor `{:?}` takes: for others it is open which `Prints` is meant.
macro_rules! print_nothing {
    ($($secret:ty),* $(,)?) => {$({
        trait Prints<How> {
            fn never() {}
        }
        struct ForPeople;
        struct ForDebugging;
        impl<T> Prints<()> for T {}
        impl<T: Display> Prints<ForPeople> for T {}
        impl<T: Debug> Prints<ForDebugging> for T {}
        <$secret as Prints<_>>::never();
    })*};
}

#[test]
fn secrets_print_nothing() {
    print_nothing!(
        Seed,
        Choices,
        Prepared,
        AuditOpening,
        Signed,
        Share,
        ShareSums,
        Expander,
        SigningKey,
        KemKey,
        CertificateKey,
    );
    assert_eq!(format!("{:?}", ScalarBytes([0xab; 32])), "ScalarBytes(..)");
}
