// Journals of unfinished runs: as they come, and every line as an item with the checksum that it
// should have.
#include "record/folder/journal.h"

#include <string>

#include "labelprobe/core/fingerprint.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void journal(std::string_view input) {
  std::string sound;
  for (std::string_view rest = input; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string text(rest.substr(0, end));
    sound += "{\"item\":" + text + ",\"xxh3\":\"" + fingerprint(text) + "\"}\n";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const std::string_view lines : {input, std::string_view(sound)}) {
    attempt([&] {
      const record::Journal read = record::load_journal(file_with("journal_0.jsonl", lines));
      for (const auto& [key, item] : read.items) {
        const std::string line = record::encode_item(item);
        const auto again =
            record::decode_item(std::string_view(line).substr(0, line.size() - 1), "again");
        LABELPROBE_CHECK(again && record::encode_item(*again) == line);
      }
    });
  }
}

}  // namespace labelprobe::fuzz
