#include "model/decoder/placement.h"

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::model {
namespace {

using Sizes = std::vector<std::size_t>;
using Counts = std::vector<int>;

}  // namespace

TEST_CASE("Layers are divided by the memory that is free for them", "[unit]") {
  CHECK(divide_layers(80, Sizes{80, 80}, 0) == Counts{40, 40});
  CHECK(divide_layers(80, Sizes{80, 80}, 16) == Counts{36, 44});
  CHECK(divide_layers(32, Sizes{24, 48, 24}, 0) == Counts{8, 16, 8});
  CHECK(divide_layers(7, Sizes{0, 10}, 5) == Counts{4, 3});  // not known
  // Nobody is left without one, however little there is.
  CHECK(divide_layers(3, Sizes{1000, 1, 1}, 0) == Counts{1, 1, 1});
  CHECK(divide_layers(4, Sizes{1, 1, 1000}, 5000) == Counts{1, 1, 2});
  CHECK_THROWS_WITH(divide_layers(2, Sizes{1, 1, 1}, 0),
                    ContainsSubstring("as many devices as the model has layers, 2; found 3"));
}

TEST_CASE("A placement tells the device of each layer", "[unit]") {
  const c10::Device first(c10::kCUDA, 0);
  const c10::Device second(c10::kCUDA, 2);
  const Placement divided({first, second}, Counts{2, 3});
  CHECK(divided.is_divided());
  CHECK(divided.first() == first);
  CHECK(divided.of(1) == first);
  CHECK(divided.of(2) == second);
  CHECK(divided.of(4) == second);
  CHECK(divided.n_layers_of(0, 5) == 2);
  CHECK(divided.n_layers_of(1, 5) == 3);
  CHECK(divided.most_layers(5) == 3);

  const Placement whole = first;
  CHECK_FALSE(whole.is_divided());
  CHECK(whole.of(7) == first);
  CHECK(whole.n_layers_of(0, 5) == 5);
}

}  // namespace labelprobe::model
