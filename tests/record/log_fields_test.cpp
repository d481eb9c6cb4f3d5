#include "labelprobe/record/log_fields.h"

#include <algorithm>
#include <set>
#include <string>

#include "labelprobe/record/fields.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

std::set<std::string> listed() {
  std::set<std::string> names;
  for (const LogField& field : log_fields()) names.insert(std::string(field.name));
  return names;
}

TEST_CASE("Every field of a log is listed once", "[unit]") {
  const std::set<std::string> names = listed();
  CHECK(names.size() == log_fields().size());
  const auto expect = [&](const std::string& before) {
    return [&names, before](const Field& field, const auto&) {
      if (!field.log_name) return;
      CAPTURE(field.log_name);
      CHECK(names.contains(before + field.log_name));
    };
  };
  const ItemRecord item;
  visit_fields(item, expect(""));
  const LabelStep step;
  visit_fields(step, expect("test_label_steps: "));
  const AnswerReading reading;
  visit_fields(reading, expect("test_answers: "));
  const ReadoutValues readout;
  visit_fields(readout, expect("test_readouts: "));
}

TEST_CASE("The page of the log explains the fields that are listed, and no others", "[unit]") {
  const std::string page = support::read_file(support::source_folder() / "src/record/README.md");
  for (const std::string& name : listed()) {
    const std::size_t colon = name.find(": ");
    const std::string last = colon == std::string::npos ? name : name.substr(colon + 2);
    CAPTURE(name);
    CHECK(page.find("`" + last + "`") != std::string::npos);
  }
  for (std::size_t at = page.find("| `test_"); at != std::string::npos;
       at = page.find("| `test_", at + 1)) {
    const std::size_t begin = at + 3;
    const std::string name = page.substr(begin, page.find('`', begin) - begin);
    CAPTURE(name);
    CHECK(listed().contains(name));
  }
}

}  // namespace
}  // namespace labelprobe::record
