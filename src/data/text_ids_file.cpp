#include "text_ids_file.h"

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>
#include <unordered_set>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "labelprobe/core/error.h"

#include "records.h"
#include "table_file.h"

namespace labelprobe::data {

namespace {

using YAML::Mark;

class Reader : public YAML::EventHandler {
 public:
  Reader(const std::filesystem::path& path, std::span<const std::string> splits)
      : path_(path), splits_(splits), texts_(splits.size()) {}

  void OnDocumentStart(const Mark& mark) override {
    if (has_document_) {
      fail(mark, "one document", "another one");
    }
    has_document_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const Mark& mark, YAML::anchor_t) override { fail(mark, expected(), "nothing"); }
  void OnAlias(const Mark& mark, YAML::anchor_t) override { fail(mark, expected(), "an alias"); }
  void OnSequenceStart(const Mark& mark,
                       const std::string&,
                       YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    fail(mark, expected(), "a list");
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const Mark& mark,
                  const std::string&,
                  YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    if (depth_ == 2 || (depth_ == 1 && !key_)) {
      fail(mark, expected(), "a map");
    }
    ++depth_;
    key_.reset();
  }
  void OnMapEnd() override { --depth_; }

  void OnScalar(const Mark& mark,
                const std::string&,
                YAML::anchor_t,
                const std::string& scalar) override {
    if (depth_ == 0 || (depth_ == 1 && key_)) {
      fail(mark, expected(), shown(scalar));
    }
    if (!key_) {
      key_ = scalar;
      if (depth_ == 1) {
        begin_split(mark, scalar);
      }
      return;
    }
    add(mark, scalar);
    key_.reset();
  }

  std::vector<TextIds> finish() {
    for (const std::string& split : splits_) {
      if (!seen_splits_.contains(split)) {
        throw DataError(path_.string() + ": expected a split '" + split + "', found none");
      }
    }
    return std::move(texts_);
  }

  [[noreturn]] void fail(const Mark& mark, const std::string& wanted, const std::string& found) {
    throw DataError(path_.string() + ":" + std::to_string(mark.line + 1) + ": expected " + wanted +
                    ", found " + found);
  }

 private:
  std::string expected() const {
    return depth_ == 0   ? "a map split -> text -> id"
           : depth_ == 1 ? (key_ ? "a map text -> id" : "the name of a split")
                         : (key_ ? "an id" : "a text");
  }

  void begin_split(const Mark& mark, const std::string& name) {
    if (!seen_splits_.insert(name).second) {
      fail(mark, "every split once", shown(name) + " again");
    }
    ids_.clear();
    open_.clear();
    for (std::size_t i = 0; i < splits_.size(); ++i) {
      if (splits_[i] == name) {
        open_.push_back(i);
      }
    }
  }

  void add(const Mark& mark, const std::string& id) {
    if (open_.empty()) {
      return;
    }
    if (!ids_.insert(id).second) {
      fail(mark, "every id once in a split", shown(id) + " again");
    }
    for (const std::size_t i : open_) {
      if (!texts_[i].emplace(*key_, id).second) {
        fail(mark, "every text once in a split", shown(*key_) + " again");
      }
    }
  }

  const std::filesystem::path& path_;
  std::span<const std::string> splits_;
  std::vector<TextIds> texts_;
  std::vector<std::size_t> open_;        // positions in splits_ of the split being read
  std::unordered_set<std::string> ids_;  // of the split being read
  std::set<std::string> seen_splits_;
  std::optional<std::string> key_;  // read, with its content still to come
  int depth_ = 0;
  bool has_document_ = false;
};

}  // namespace

std::vector<TextIds> read_text_ids(const std::filesystem::path& path,
                                   std::span<const std::string> splits) {
  const MappedFile file = open_file(path, "a map split -> text -> id");
  check_utf8(file);
  if (!file.text().empty() && !file.text().ends_with('\n')) {
    throw DataError(path.string() +
                    ": expected the last line to end in a line break, found the end of the file; "
                    "it may be cut off: fetch it again, or add the line break if it is complete");
  }
  Reader reader(path, splits);
  std::istringstream text{std::string(file.text())};
  try {
    YAML::Parser parser(text);
    while (parser.HandleNextDocument(reader)) {
    }
  } catch (const YAML::Exception& error) {
    reader.fail(error.mark, "YAML", "an error: " + error.msg);
  }
  return reader.finish();
}

}  // namespace labelprobe::data
