//! What is measured of each unit, and which figures are made of it?

use serde::Serialize;

/// What is known of a unit: first what weeks say, in the order of the table `outcomes`, then what follows from all of
/// them. Amounts are minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Number {
    /// Orders.
    Orders,
    /// What was paid, less returns.
    Revenue,
    /// Margin after discounts; of a campaign also less what contacts cost.
    Margin,
    /// Discount by coupons.
    Discount,
    /// Coupons used, whoever gave them.
    CouponsUsed,
    /// 1 in the week in which the first coupon of all was used.
    FirstCoupons,
    /// Products bought that had been bought in an earlier week.
    Repeats,
    /// Products never bought before.
    FirstPurchases,
    /// Those of them that were new in the shop.
    NewProducts,
    /// Runs that reached the unit.
    Contacts,
    /// Offers sent.
    OffersSent,
    /// Offers shown.
    OffersSeen,
    /// Offers used.
    OffersUsed,
    /// What was paid with offers used.
    Attributed,
    /// 1 when the unit ordered at all.
    Converted,
    /// Revenue, at most the cap.
    CappedRevenue,
    /// Margin, at most the cap.
    CappedMargin,
    /// 1 when offers are no longer allowed.
    OptedOut,
    /// Revenue in the weeks before the campaign: a covariate.
    RevenueBefore,
    /// Orders in the weeks before: a covariate.
    OrdersBefore,
}

/// How many numbers a week has.
pub const WEEK_NUMBERS: usize = Number::Attributed as usize + 1;

impl Number {
    /// How many there are.
    pub const COUNT: usize = Self::OrdersBefore as usize + 1;

    /// What was known before anybody was assigned, and may so be adjusted for.
    pub const COVARIATES: [Self; 2] = [Self::RevenueBefore, Self::OrdersBefore];

    /// Its place among the sums of a unit, and those below [`WEEK_NUMBERS`] among the numbers of a week.
    pub const fn place(self) -> usize {
        self as usize
    }
}

/// How a figure is made of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The mean over units.
    Mean(Number),
    /// The sum of one number over that of another: what is `per` unit of it.
    Ratio {
        /// What is counted.
        of: Number,
        /// What it is counted per.
        per: Number,
    },
    /// A ratio that only who gets offers can have.
    OfOffers {
        /// What is counted.
        of: Number,
        /// What it is counted per.
        per: Number,
    },
}

/// What a figure is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What the campaign is judged by.
    Goal,
    /// What helps to understand it.
    Detail,
    /// What must not become worse.
    Guardrail,
}

/// A figure of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in tables and JSON; ends in `_minor` when it is an amount and in `_rate` when it is a share.
    pub name: &'static str,
    /// How it is made.
    pub kind: Kind,
    /// What it is for.
    pub role: Role,
}

const fn mean(name: &'static str, number: Number, role: Role) -> Metric {
    Metric { name, kind: Kind::Mean(number), role }
}

/// All figures, in order of display.
pub const METRICS: &[Metric] = &[
    mean("margin_minor", Number::Margin, Role::Goal),
    mean("capped_margin_minor", Number::CappedMargin, Role::Detail),
    mean("revenue_minor", Number::Revenue, Role::Goal),
    mean("capped_revenue_minor", Number::CappedRevenue, Role::Detail),
    mean("conversion_rate", Number::Converted, Role::Goal),
    mean("orders", Number::Orders, Role::Detail),
    Metric {
        name: "revenue_per_order_minor",
        kind: Kind::Ratio { of: Number::Revenue, per: Number::Orders },
        role: Role::Detail,
    },
    mean("discount_minor", Number::Discount, Role::Detail),
    mean("coupons_used", Number::CouponsUsed, Role::Detail),
    mean("first_coupon_rate", Number::FirstCoupons, Role::Detail),
    mean("repeat_purchases", Number::Repeats, Role::Detail),
    mean("first_purchases", Number::FirstPurchases, Role::Detail),
    mean("new_product_purchases", Number::NewProducts, Role::Detail),
    Metric {
        name: "hit_rate",
        kind: Kind::OfOffers { of: Number::OffersUsed, per: Number::OffersSent },
        role: Role::Detail,
    },
    Metric {
        name: "seen_rate",
        kind: Kind::OfOffers { of: Number::OffersSeen, per: Number::OffersSent },
        role: Role::Detail,
    },
    mean("contacts", Number::Contacts, Role::Guardrail),
    mean("no_consent_rate", Number::OptedOut, Role::Guardrail),
];
