#include "labelprobe/core/label_set.h"

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("Lower-cases label names and keeps their order", "[label_set]") {
  const LabelSet set({"Joy", "ANGER", "Émoi"}, LabelKind::MultiLabel);
  CHECK(set.names() == Names{"joy", "anger", "Émoi"});
  CHECK(set.size() == 3);
  CHECK(set.index_of("anger") == 1);
  CHECK(set.index_of("ANGER") == 1);
  CHECK_FALSE(set.index_of("none").has_value());
}

TEST_CASE("Adds none to the names of multi-label sets only", "[label_set]") {
  CHECK(LabelSet({"a", "b"}, LabelKind::MultiLabel).names_with_none() == Names{"a", "b", "none"});
  CHECK(LabelSet({"a", "b"}, LabelKind::SingleLabel).names_with_none() == Names{"a", "b"});
}

TEST_CASE("Names the labels of an example", "[label_set]") {
  const LabelSet set({"a", "b", "c"}, LabelKind::MultiLabel);
  CHECK(set.names_of({0, 2}) == Names{"a", "c"});
  CHECK(set.names_of({}).empty());
  CHECK_THROWS_AS(set.names_of({3}), InternalError);
  CHECK_THROWS_AS(set.names_of({-1}), InternalError);
}

TEST_CASE("Refuses names that cannot be told apart or mean no label", "[label_set]") {
  CHECK_THROWS_WITH(LabelSet({"a", ""}, LabelKind::MultiLabel),
                    ContainsSubstring("found an empty one"));
  CHECK_THROWS_WITH(LabelSet({"Joy", "joy"}, LabelKind::MultiLabel),
                    ContainsSubstring("found 'joy' twice"));
  CHECK_THROWS_WITH(LabelSet({"Ärger", "ärger"}, LabelKind::MultiLabel),
                    ContainsSubstring("found 'ärger' twice"));
  CHECK_THROWS_AS(LabelSet({"None"}, LabelKind::MultiLabel), DataError);
  CHECK_NOTHROW(LabelSet({"none", "some"}, LabelKind::SingleLabel));
}

}  // namespace
}  // namespace labelprobe
