// Texts that know which of their bytes come from a message. Cutting and joining keeps that, so that
// the rendered chat tells a message's bytes from the template's.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace labelprobe::prompt::jinja {

// Bytes [begin, end) of a text are bytes of a source from `source_begin` on.
struct Origin {
  static constexpr std::size_t kChanged = static_cast<std::size_t>(-1);

  std::size_t begin = 0;
  std::size_t end = 0;
  int source = 0;
  std::size_t source_begin = 0;  // kChanged: made of the source, byte by byte unlike it

  friend bool operator==(const Origin&, const Origin&) = default;
};

class Text {
 public:
  Text() = default;
  explicit Text(std::string own) : bytes_(std::move(own)) {}

  // All of it is that of a source.
  static Text of_source(std::string bytes, int source);

  const std::string& bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  const std::vector<Origin>& origins() const { return origins_; }  // in order, not overlapping

  void append(std::string_view own) { bytes_ += own; }
  void append(const Text& more);

  // Bytes [begin, end).
  Text part(std::size_t begin, std::size_t end) const;

  // The part that `view`, into bytes(), shows.
  Text part(std::string_view view) const;

  // Another spelling of the whole text, e.g. in capitals.
  Text respelled(std::string bytes) const;

 private:
  std::string bytes_;
  std::vector<Origin> origins_;
};

}  // namespace labelprobe::prompt::jinja
