//! Apportions a whole number by weights, without losing anything to rounding.

use std::cmp::Reverse;

/// Apportions `total` by `weights`, with the largest remainder method.
pub(super) fn share_out(weights: &[u64], total: u64) -> Vec<u64> {
    let sum: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let products = weights.iter().map(|&weight| u128::from(weight) * u128::from(total));
    let (mut shares, remainders): (Vec<u64>, Vec<u128>) =
        products.map(|product| ((product / sum) as u64, product % sum)).unzip();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&place| (Reverse(remainders[place]), place));
    let missing = total - shares.iter().sum::<u64>();
    for place in order.into_iter().take(missing as usize) {
        shares[place] += 1;
    }
    shares
}

/// Raises each count to at least one, at the expense of the largest, if the total suffices.
pub(super) fn give_each_one(counts: &mut [u64]) {
    if counts.iter().sum::<u64>() < counts.len() as u64 {
        return;
    }
    while let Some(none) = counts.iter().position(|&count| count == 0) {
        let largest = (0..counts.len()).max_by_key(|&place| counts[place]).unwrap_or(none);
        counts[largest] -= 1;
        counts[none] = 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact_and_proportional() {
        assert_eq!(share_out(&[3, 1, 0, 2], 6), [3, 1, 0, 2]);
        assert_eq!(share_out(&[1, 1, 1], 5), [2, 2, 1]);
        assert_eq!(share_out(&[1 << 60, 1], 10), [10, 0]);
        let mut counts = [5, 0, 0];
        give_each_one(&mut counts);
        assert_eq!(counts, [3, 1, 1]);
    }
}
