#include "training/probes/label_order.h"

#include <algorithm>
#include <map>

namespace labelprobe::training {

std::vector<std::string> order_labels(const std::set<std::string>& names,
                                      std::span<const std::vector<std::string>> lists) {
  std::map<std::string, std::set<std::string>> earlier;  // what stands right before a name
  for (const std::vector<std::string>& list : lists) {
    for (std::size_t i = 1; i < list.size(); ++i) earlier[list[i]].insert(list[i - 1]);
  }
  std::set<std::string> left = names;
  std::vector<std::string> ordered;
  while (!left.empty()) {
    auto next = std::find_if(left.begin(), left.end(), [&](const std::string& name) {
      const std::set<std::string>& before = earlier[name];
      return std::none_of(before.begin(), before.end(),
                          [&](const std::string& other) { return left.contains(other); });
    });
    if (next == left.end()) next = left.begin();  // the lists contradict each other
    ordered.push_back(*next);
    left.erase(next);
  }
  return ordered;
}

}  // namespace labelprobe::training
