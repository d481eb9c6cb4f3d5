#include "labelprobe/record/row_file.h"

#include <cstring>
#include <fstream>

#include "labelprobe/core/error.h"
#include "labelprobe/files/safetensors.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

RowLayout layout() {
  RowLayout made;
  made.name = "hidden_states";
  made.tensor = "states";
  made.shape = {2, 3};
  made.notes["layer"] = {0, -1};
  made.format = "labelprobe hidden states 1";
  return made;
}

std::vector<float> numbers(float first, int n_rows) {
  std::vector<float> row;
  for (int i = 0; i < 6 * n_rows; ++i) row.push_back(first + static_cast<float>(i));
  return row;
}

template <class Number>
std::vector<Number> read(const files::SafetensorsFile& file, const std::string& name) {
  for (const files::SafetensorsTensor& tensor : file.tensors()) {
    if (tensor.name != name) continue;
    std::vector<Number> values(tensor.bytes.size() / sizeof(Number));
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
  }
  return {};
}

void fill(RowFile& rows, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    if (key == "none") rows.append(key, {}, {});
    if (key == "a") rows.append(key, std::vector<std::int64_t>{1}, numbers(0.5F, 1));
    if (key == "b") rows.append(key, std::vector<std::int64_t>{1, 2}, numbers(100.0F, 2));
  }
}

const std::vector<std::string> kRowKeys = {"b", "none", "a"};

}  // namespace

TEST_CASE("Rows end in one file, in the order of the items", "[unit]") {
  const support::TempFolder temporary;
  const std::filesystem::path& folder = temporary.path();
  RowFile rows(folder, 3, layout());
  fill(rows, {"a", "none", "b"});
  CHECK(rows.has("none"));
  CHECK_FALSE(rows.has("c"));
  rows.finish(kRowKeys);
  rows.forget();
  CHECK(rows.path() == folder / "hidden_states_3.safetensors");
  CHECK_FALSE(std::filesystem::exists(folder / "hidden_states_3.rows"));
  const auto file = files::SafetensorsFile::open(rows.path(), ErrorKind::Data);
  CHECK(read<std::int64_t>(file, "item") == std::vector<std::int64_t>{0, 0, 2});
  CHECK(read<std::int64_t>(file, "step") == std::vector<std::int64_t>{1, 2, 1});
  CHECK(read<std::int64_t>(file, "layer") == std::vector<std::int64_t>{0, -1});
  std::vector<float> expected = numbers(100.0F, 2);
  const std::vector<float> last = numbers(0.5F, 1);
  expected.insert(expected.end(), last.begin(), last.end());
  CHECK(read<float>(file, "states") == expected);
  CHECK(file.metadata().at("ids") == R"(["b","none","a"])");
  for (const files::SafetensorsTensor& tensor : file.tensors()) {
    if (tensor.name == "states") CHECK(tensor.shape == std::vector<std::int64_t>{3, 2, 3});
  }
}

TEST_CASE("An interrupted run goes on with the rows that are whole, and ends in the same bytes",
          "[unit]") {
  const support::TempFolder temporary;
  const std::filesystem::path& folder = temporary.path();
  const support::TempFolder temporary_too;
  const std::filesystem::path& other = temporary_too.path();
  RowFile uninterrupted(other, 0, layout());
  fill(uninterrupted, kRowKeys);
  uninterrupted.finish(kRowKeys);
  {
    RowFile rows(folder, 0, layout());
    fill(rows, {"none", "b", "a"});
  }
  const auto path = folder / "hidden_states_0.rows";
  const auto size = std::filesystem::file_size(path);
  SECTION("cut inside the last item") {
    std::filesystem::resize_file(path, size - 5);
  }
  SECTION("a byte of the last item is another one") {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(size - 40));
    file.put('!');
  }
  SECTION("a length that is none") {
    std::filesystem::resize_file(path, size - 30);
    std::ofstream file(path, std::ios::app | std::ios::binary);
    file << std::string(64, '\xff');
  }
  RowFile rows(folder, 0, layout());
  CHECK(rows.has("none"));
  CHECK(rows.has("b"));
  CHECK_FALSE(rows.has("a"));
  fill(rows, {"a"});
  rows.finish(kRowKeys);
  CHECK(support::read_file(rows.path()) == support::read_file(uninterrupted.path()));
  // Until it is forgotten, a run that is interrupted once more goes on with everything.
  CHECK(RowFile(folder, 0, layout()).has("a"));
}

TEST_CASE("A run that was over is computed again in part, with the rows of the rest", "[unit]") {
  const support::TempFolder temporary;
  const std::filesystem::path& folder = temporary.path();
  RowFile whole(folder, 0, layout());
  fill(whole, kRowKeys);
  whole.finish(kRowKeys);
  whole.forget();
  const std::string bytes = support::read_file(whole.path());
  const auto has_any = [&](const RowLayout& wanted) {
    RowFile rows(folder, 0, wanted);
    rows.take_finished();
    const bool has = rows.has("a") || rows.has("b") || rows.has("none");
    rows.forget();
    return has;
  };
  SECTION("what is here already stays") {
    RowFile rows(folder, 0, layout());
    rows.append("b", std::vector<std::int64_t>{7}, numbers(3.0F, 1));
    rows.take_finished();
    CHECK((rows.has("a") && rows.has("none")));
    rows.finish(kRowKeys);
    CHECK(support::read_file(rows.path()) != bytes);
    fill(rows, {"b"});
    rows.finish(kRowKeys);
    CHECK(support::read_file(rows.path()) == bytes);
  }
  SECTION("another layout's rows are none of these") {
    RowLayout other = layout();
    other.notes["layer"] = {0, 1};
    CHECK_FALSE(has_any(other));
    other = layout();
    other.shape = {3, 2};
    CHECK_FALSE(has_any(other));
    other = layout();
    other.format = "another";
    CHECK_FALSE(has_any(other));
    CHECK(has_any(layout()));
  }
  SECTION("a damaged file has none") {
    std::filesystem::resize_file(whole.path(), bytes.size() - 4);
    CHECK_FALSE(has_any(layout()));
  }
}

}  // namespace labelprobe::record
