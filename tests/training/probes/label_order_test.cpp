#include "training/probes/label_order.h"

#include "support/catch.h"

namespace labelprobe::training {
namespace {

using Names = std::vector<std::string>;

Names ordered(const std::set<std::string>& names, const std::vector<Names>& lists) {
  return order_labels(names, lists);
}

}  // namespace

TEST_CASE("Labels stand in the order that lists of them show", "[unit]") {
  CHECK(ordered({"anger", "fear", "joy"}, {{"joy", "fear"}, {"fear", "anger"}}) ==
        Names{"joy", "fear", "anger"});
  CHECK(ordered({"a", "b", "c", "d"}, {{"c", "d", "a"}}) == Names{"b", "c", "d", "a"});
}

TEST_CASE("Labels of which nothing is told stand in the alphabet's order", "[unit]") {
  CHECK(ordered({"b", "c", "a"}, {{"b"}, {}}) == Names{"a", "b", "c"});
  CHECK(ordered({}, {}).empty());
}

TEST_CASE("Lists that contradict each other lose no label", "[unit]") {
  CHECK(ordered({"a", "b", "c"}, {{"a", "b"}, {"b", "a"}, {"c", "a"}}).size() == 3);
}

}  // namespace labelprobe::training
