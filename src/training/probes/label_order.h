// The labels of a log in the order of their set, which a log does not tell as such: YAML sorts.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

namespace labelprobe::training {

// All `names`, in an order that contradicts no list: each list, as those of gold labels, names some
// of them in the order looked for. Names of which no list tells which one comes first are sorted by
// the alphabet.
std::vector<std::string> order_labels(const std::set<std::string>& names,
                                      std::span<const std::vector<std::string>> lists);

}  // namespace labelprobe::training
