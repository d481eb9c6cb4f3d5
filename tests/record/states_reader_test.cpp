#include "labelprobe/record/states_reader.h"

#include <cstring>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/paths.h"
#include "support/weight_files.h"

namespace labelprobe::record {
namespace {

using support::bytes_of;
using support::TempFolder;

// Two items, three rows, two layers, two features.
struct States {
  std::string ids = R"([\"a\",\"b__ann\"])";
  std::string format = "labelprobe hidden states 1";
  std::vector<std::int64_t> item = {1, 0, 1};
  std::vector<std::int64_t> step = {1, 1, 0};
  std::string type = "F32";

  std::string bytes() const {
    const std::string header = R"({"__metadata__":{"format":")" + format + R"(","ids":")" + ids +
                               R"("},"states":{"dtype":")" + type +
                               R"(","shape":[3,2,2],"data_offsets":[0,48]},)"
                               R"("item":{"dtype":"I64","shape":[3],"data_offsets":[48,72]},)"
                               R"("step":{"dtype":"I64","shape":[3],"data_offsets":[72,96]},)"
                               R"("layer":{"dtype":"I64","shape":[2],"data_offsets":[96,112]}})";
    std::string numbers;
    for (int i = 0; i < 12; ++i) numbers += bytes_of(static_cast<float>(i));
    for (const std::int64_t one : item) numbers += bytes_of(one);
    for (const std::int64_t one : step) numbers += bytes_of(one);
    return support::safetensors_bytes(
        header, numbers + bytes_of(std::int64_t{4}) + bytes_of(std::int64_t{-1}));
  }
};

ItemStates read(const States& states, std::int64_t step, std::int64_t layer) {
  const TempFolder folder;
  support::write_file(states_file(folder.path(), 2), states.bytes());
  return read_states(folder.path() / "hidden_states_2.safetensors", step, layer);
}

std::string message(const States& states) {
  return support::message_of<Error>([&] { read(states, 1, -1); });
}

}  // namespace

TEST_CASE("Reads one step's states at one layer in the order of the ids", "[unit]") {
  const ItemStates last = read({}, 1, -1);
  CHECK(last.keys == std::vector<std::string>{"a", "b__ann"});
  CHECK(last.n_features == 2);
  CHECK(last.numbers == std::vector<float>{6, 7, 2, 3});
  const ItemStates prompt = read({}, 0, 4);
  CHECK(prompt.keys == std::vector<std::string>{"b__ann"});  // a has no such step
  CHECK(prompt.numbers == std::vector<float>{8, 9});
  CHECK(read({}, 2, 4).keys.empty());
}

TEST_CASE("A file of another form is told from hidden states", "[unit]") {
  CHECK_THAT(message({.format = "pt"}),
             ContainsSubstring("expected 'labelprobe hidden states 1', found 'pt'"));
  CHECK_THAT(message({.item = {1, 0, 2}}), ContainsSubstring("row 2: expected an item below 2"));
  CHECK_THAT(message({.item = {1, 1, 0}}),
             ContainsSubstring("rows 0 and 1: expected one row of step 1 of item 'b__ann'"));
  CHECK_THAT(message({.type = "I32"}),
             ContainsSubstring("tensor 'states': expected F32 with 3 dimensions, found I32"));
  CHECK_THAT(message({.ids = R"([\"a\",\"a\"])"}), ContainsSubstring("expected each id once"));
  CHECK_THAT(message({.ids = "[1]"}), ContainsSubstring("metadata 'ids'"));
  CHECK_THAT(support::message_of<ConfigError>([] { read({}, 1, 7); }),
             ContainsSubstring("no states of layer 7 (there are: 4, -1)"));
}

TEST_CASE("Without the file the published container beside it is pointed at", "[unit]") {
  const TempFolder folder;
  const auto missing = [&] {
    return support::message_of<DataError>(
        [&] { read_states(states_file(folder.path(), 0), 1, -1); });
  };
  CHECK_THAT(missing(), ContainsSubstring("hidden_states_0.safetensors: no such file"));
  support::write_file(folder.path() / "last_hidden_state.pt", "PK");
  CHECK_THAT(missing(), ContainsSubstring("convert it with scripts/convert_hidden_states.py"));
}

}  // namespace labelprobe::record
