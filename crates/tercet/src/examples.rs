//! Which projects come with the binary?

/// One file of an example.
pub(crate) struct ExampleFile {
    /// Its path below the project's folder.
    pub(crate) path: &'static str,
    /// Its content.
    pub(crate) bytes: &'static [u8],
}

/// A project to start from.
pub(crate) struct Example {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// One line about it.
    pub(crate) about: &'static str,
    /// Its files.
    pub(crate) files: &'static [ExampleFile],
}

/// Embeds files of a folder of `examples/`.
macro_rules! files {
    ($folder:literal: $($path:literal),* $(,)?) => {
        &[$(ExampleFile {
            path: $path,
            bytes: include_bytes!(concat!("../../../examples/", $folder, "/", $path)),
        }),*]
    };
}

/// All examples; the first is what `tercet init` makes when none is named.
pub(crate) const EXAMPLES: &[Example] = &[
    Example {
        name: "starter",
        about: "a made-up shop of six weeks in CSV files: put your own files in their place",
        files: files!("starter":
            "tercet.toml",
            "data/products.csv",
            "data/transactions.csv",
            "data/promotions.csv",
            "data/promotion_products.csv",
        ),
    },
    Example {
        name: "complete-journey",
        about: "nine months of real grocery baskets and coupons of 2,469 households",
        files: files!("complete-journey":
            "tercet.toml",
            "PROVENANCE.md",
            "data/campaign_descriptions.parquet",
            "data/campaigns.parquet",
            "data/coupon_redemptions.parquet",
            "data/coupons.parquet",
            "data/demographics.parquet",
            "data/interactions.parquet",
            "data/products.parquet",
            "data/transactions.parquet",
        ),
    },
];

/// The example of that name.
pub(crate) fn example(name: &str) -> Option<&'static Example> {
    EXAMPLES.iter().find(|example| example.name == name)
}
