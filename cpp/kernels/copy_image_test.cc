#include "kernels/copy_image.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/copy_image_ref.h"
#include "kernels/test_support.h"

namespace tlsc {
namespace {

constexpr ImageMap kPlain = {
    {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}}, {1, 1, 1, 1}, {1, 1, 1, 1}, {}};

constexpr Element kElements[] = {Element::kUint8, Element::kUint16, Element::kFloat16,
                                 Element::kFloat32};

double LargestOf(Element element) {
  if (element == Element::kUint8) return 255;
  return element == Element::kUint16 ? 65535 : 1;
}

size_t IndexOf(const ImageLayout& layout, size_t channel, size_t row, size_t column) {
  if (layout.channels_last) return (row * layout.width + column) * layout.channels + channel;
  return (channel * layout.height + row) * layout.width + column;
}

double Read(const std::vector<unsigned char>& bytes, Element element, size_t index) {
  const auto at = [&](auto value) {
    std::memcpy(&value, bytes.data() + index * sizeof(value), sizeof(value));
    return value;
  };
  switch (element) {
    case Element::kUint8:
      return at(uint8_t{});
    case Element::kUint16:
      return at(uint16_t{});
    case Element::kFloat16:
      return double{ToFloat(at(Float16{}))};
    case Element::kFloat32:
      return double{at(float{})};
  }
  return 0;
}

// Whole numbers of all sizes, or floats a little beyond what photos have.
std::vector<unsigned char> RandomImage(const ImageLayout& layout, uint32_t seed = 1) {
  const size_t count = layout.channels * layout.height * layout.width;
  const std::vector<float> values = RandomTensor(count, -0.3f, 1.3f, seed);
  std::vector<unsigned char> bytes(ByteSize(layout));
  for (size_t i = 0; i < count; ++i) {
    const auto put = [&](auto value) {
      std::memcpy(bytes.data() + i * sizeof(value), &value, sizeof(value));
    };
    const float fraction = std::fabs(values[i]) / 1.3f;
    switch (layout.element) {
      case Element::kUint8:
        put(static_cast<uint8_t>(fraction * 255.0f));
        break;
      case Element::kUint16:
        put(static_cast<uint16_t>(fraction * 65535.0f));
        break;
      case Element::kFloat16:
        put(RoundTo<Float16>(std::vector<float>{values[i]})[0]);
        break;
      case Element::kFloat32:
        put(values[i]);
    }
  }
  return bytes;
}

std::vector<unsigned char> Copy(const std::vector<unsigned char>& from, const ImageLayout& in,
                                const ImageMap& map, const ImageLayout& out,
                                ImageSummary* summary = nullptr) {
  std::vector<unsigned char> to(ByteSize(out) + 1, 0xa5);
  SerialLoop loop;
  const Status status = CopyImage(from.data(), in, map, loop, to.data(), out, summary);
  EXPECT_TRUE(status.ok()) << status.message;
  EXPECT_EQ(to.back(), 0xa5);
  return to;
}

void ExpectMatchesReference(const ImageLayout& in, const ImageMap& map, const ImageLayout& out) {
  const std::vector<unsigned char> from = RandomImage(in);
  const std::vector<unsigned char> to = Copy(from, in, map, out);
  for (size_t row = 0; row < out.height; ++row) {
    for (size_t column = 0; column < out.width; ++column) {
      std::vector<double> x;
      const size_t from_row = CopyImagePlaceRef(row, in.height, out.height);
      const size_t from_column = CopyImagePlaceRef(column, in.width, out.width);
      for (size_t k = 0; k < in.channels; ++k)
        x.push_back(Read(from, in.element, IndexOf(in, k, from_row, from_column)));
      for (size_t c = 0; c < out.channels; ++c) {
        const double exact = CopyImageRef(x, LargestOf(in.element), map, c);
        const double got = Read(to, out.element, IndexOf(out, c, row, column));
        const std::string place = std::to_string(c) + ", " + std::to_string(row) + ", " +
                                  std::to_string(column) + " is " + std::to_string(got) + " for " +
                                  std::to_string(exact);
        if (LargestOf(out.element) > 1) {
          const double scaled = std::min(1.0, std::max(0.0, exact)) * LargestOf(out.element);
          // Half a step, and what float32 has lost before.
          ASSERT_LE(std::fabs(got - scaled), 0.5 + 65535 * 1e-6) << place;
        } else {
          // A rounding per step, of values as large as the largest on the way.
          const double steps = out.element == Element::kFloat16 ? 0x1p-11 : 6 * 0x1p-24;
          double largest = std::fabs(exact) + std::fabs(double{map.add[c]});
          for (size_t k = 0; k < x.size(); ++k)
            largest += std::fabs(double{map.mix[c][k] * map.multiply[c]} * x[k] /
                                 (double{map.divide[c]} * LargestOf(in.element)));
          ASSERT_LE(std::fabs(got - exact), steps * (1 + largest)) << place;
        }
      }
    }
  }
}

TEST(CopyImage, EveryTypeAndLayoutMatchesReference) {
  const size_t width = 83;
  for (const Element from : kElements) {
    for (const Element to : kElements) {
      for (size_t channels = 1; channels <= kMaxImageChannels; ++channels) {
        for (const bool from_last : {false, true}) {
          for (const bool to_last : {false, true}) {
            ExpectMatchesReference({from, from_last, channels, 3, width}, kPlain,
                                   {to, to_last, channels, 3, width});
          }
        }
      }
    }
  }
}

// Around the lengths of vectors and of what is worked on at a time.
TEST(CopyImage, EveryWidthMatchesReference) {
  for (size_t width = 1; width <= 70; ++width) {
    ExpectMatchesReference({Element::kUint8, true, 3, 2, width}, kPlain,
                           {Element::kFloat32, false, 3, 2, width});
    ExpectMatchesReference({Element::kFloat32, false, 4, 2, width}, kPlain,
                           {Element::kUint16, true, 4, 2, width});
  }
  for (const size_t width : std::vector<size_t>{1023, 1024, 1025, 2060}) {
    ExpectMatchesReference({Element::kUint8, true, 3, 2, width}, kPlain,
                           {Element::kFloat16, true, 3, 2, width});
  }
}

TEST(CopyImage, FillsUpAndCropsAtEverySize) {
  for (const size_t length : std::vector<size_t>{1, 2, 3, 5, 8, 33}) {
    for (const size_t padded : std::vector<size_t>{1, 2, 4, 5, 6, 8, 9, 10, 16, 40, 65, 66, 70}) {
      for (const bool last : {false, true}) {
        ExpectMatchesReference({Element::kUint8, true, 3, length, 9}, kPlain,
                               {Element::kFloat32, last, 3, padded, 12});
        ExpectMatchesReference({Element::kFloat32, false, 3, 4, length}, kPlain,
                               {Element::kFloat32, last, 3, 4, padded});
      }
    }
  }
}

TEST(CopyImage, RegionsAreImagesOfTheirOwn) {
  for (const bool from_last : {false, true}) {
    for (const bool to_last : {false, true}) {
      const ImageLayout in = {Element::kUint8, from_last, 3, 9, 1100};
      const ImageLayout out = {Element::kUint16, to_last, 3, 12, 1200};
      for (const ImageRegion region : {ImageRegion{2, 5, 4, 1050}, ImageRegion{8, 1099, 1, 1}}) {
        const ImageRegion target = {3, 20, region.height + 2, region.width + 1};
        const std::vector<unsigned char> from = RandomImage(in);
        std::vector<unsigned char> part;
        for (size_t i = 0; i < region.height * region.width * 3; ++i) {
          const size_t channel = i % 3;
          const size_t row = region.top + i / 3 / region.width;
          const size_t column = region.left + i / 3 % region.width;
          part.push_back(from[IndexOf(in, channel, row, column)]);
        }
        const std::vector<unsigned char> expected =
            Copy(part, {Element::kUint8, true, 3, region.height, region.width}, kPlain,
                 {Element::kUint16, true, 3, target.height, target.width});
        std::vector<unsigned char> to(ByteSize(out), 0xa5);
        SerialLoop loop;
        const Status status =
            CopyImageRegion(from.data(), in, region, kPlain, loop, to.data(), out, target, nullptr);
        ASSERT_TRUE(status.ok()) << status.message;
        for (size_t row = 0; row < out.height; ++row) {
          for (size_t column = 0; column < out.width; ++column) {
            const bool is_inside = row - target.top < target.height &&  // or far beyond, below 0
                                   column - target.left < target.width;
            for (size_t c = 0; c < 3; ++c) {
              const size_t place =
                  ((row - target.top) * target.width + column - target.left) * 3 + c;
              const double wanted =
                  is_inside ? Read(expected, Element::kUint16, place) : double{0xa5a5};
              ASSERT_EQ(Read(to, Element::kUint16, IndexOf(out, c, row, column)), wanted)
                  << row << ", " << column;
            }
          }
        }
      }
    }
  }
}

TEST(CopyImage, RefusesRegionsBeyondTheImage) {
  const ImageLayout layout = {Element::kUint8, true, 1, 4, 5};
  std::vector<unsigned char> from(20);
  std::vector<unsigned char> to(20);
  SerialLoop loop;
  const size_t most = SIZE_MAX;
  for (const ImageRegion wrong :
       {ImageRegion{0, 0, 0, 1}, ImageRegion{0, 0, 1, 0}, ImageRegion{0, 1, 4, 5},
        ImageRegion{1, 0, 4, 5}, ImageRegion{most, 0, 2, 1}, ImageRegion{0, most, 1, 2},
        ImageRegion{1, 0, most, 1}, ImageRegion{0, 1, 1, most}}) {
    EXPECT_EQ(CopyImageRegion(from.data(), layout, wrong, kPlain, loop, to.data(), layout,
                              WholeOf(layout), nullptr)
                  .code,
              StatusCode::kInvalidArgument);
    EXPECT_EQ(CopyImageRegion(from.data(), layout, WholeOf(layout), kPlain, loop, to.data(), layout,
                              wrong, nullptr)
                  .code,
              StatusCode::kInvalidArgument);
  }
}

TEST(CopyImage, MapsValuesAndChannels) {
  const ImageMap maps[] = {
      {{{{0, 0, 1, 0}, {0, 1, 0, 0}, {1, 0, 0, 0}, {}}},
       {2, 2, 2, 1},
       {1, 1, 1, 1},
       {-1, -1, -1, 0}},
      {{{{0.299f, 0.587f, 0.114f, 0}, {}, {}, {}}}, {255, 1, 1, 1}, {1, 1, 1, 1}, {}},
      {{{{1, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 0, 0}, {}}},
       {1, 1, 1, 1},
       {0.229f, 0.224f, 0.225f, 1},
       {-2.1f, -2.0f, -1.8f, 0}},
  };
  for (const ImageMap& map : maps) {
    for (const Element from : kElements) {
      for (const size_t channels : std::vector<size_t>{1, 3}) {
        ExpectMatchesReference({from, true, 3, 3, 37}, map,
                               {Element::kFloat32, false, channels, 4, 40});
      }
    }
  }
}

// Correctly rounded, so that 8-bit samples are themselves in 0 to 255, and the floats that
// frameworks make in 0 to 1.
TEST(CopyImage, DividesWholeNumbersExactly) {
  for (const float range : {1.0f, 255.0f}) {
    for (const Element element : {Element::kUint8, Element::kUint16}) {
      ImageMap map = kPlain;
      map.multiply[0] = range;
      const ImageLayout in = {element, true, 1, 1, size_t{1} << (8 * SizeOf(element))};
      std::vector<unsigned char> from(ByteSize(in));
      for (size_t i = 0; i < in.width; ++i) {
        const auto number = static_cast<uint16_t>(i);
        if (element == Element::kUint8) from[i] = static_cast<unsigned char>(i);
        if (element == Element::kUint16) std::memcpy(from.data() + 2 * i, &number, 2);
      }
      const ImageLayout out = {Element::kFloat32, false, 1, 1, in.width};
      std::vector<unsigned char> to = Copy(from, in, map, out);
      const float largest = static_cast<float>(LargestOf(element));
      for (size_t i = 0; i < in.width; ++i) {
        const float expected = static_cast<float>(i) * range / largest;
        ASSERT_EQ(Read(to, Element::kFloat32, i), double{expected}) << i << " of " << largest;
      }
      // And back again, to the last bit.
      map = kPlain;
      map.divide[0] = range;
      to.pop_back();
      const std::vector<unsigned char> back = Copy(to, out, map, in);
      EXPECT_TRUE(std::equal(from.begin(), from.end(), back.begin()));
    }
  }
}

TEST(CopyImage, RoundsHalvesUpExactly) {
  // Products with 255 that float32 would round to a half, from above and from below.
  std::vector<float> values = {0.5f / 255, 1.5f / 255, 100.5f / 255, 254.5f / 255, 0.49999997f,
                               -0.0f,      -1.0f,      1.0f,         7.0f,         kNaN,
                               kInfinity,  -kInfinity, 1e-30f,       0.99999994f};
  for (size_t i = 0; i < 2000; ++i) {
    const float near = (static_cast<float>(i % 255) + 0.5f) / 255.0f;
    values.push_back(std::nextafterf(near, i % 2 == 0 ? 0.0f : 1.0f));
  }
  const ImageLayout in = {Element::kFloat32, false, 1, 1, values.size()};
  std::vector<unsigned char> from(ByteSize(in));
  std::memcpy(from.data(), values.data(), from.size());
  for (const Element element : {Element::kUint8, Element::kUint16}) {
    const std::vector<unsigned char> to = Copy(from, in, kPlain, {element, true, 1, 1, in.width});
    for (size_t i = 0; i < values.size(); ++i) {
      const double value = std::isnan(values[i]) ? 0 : double{values[i]};
      const double exact =
          std::floor(std::min(1.0, std::max(0.0, value)) * LargestOf(element) + 0.5);
      ASSERT_EQ(Read(to, element, i), exact) << values[i];
    }
  }
}

TEST(CopyImage, SumsUpWhatItWrites) {
  const ImageLayout layout = {Element::kFloat32, false, 3, 21, 35};
  const size_t count = 3 * 21 * 35;
  std::vector<float> values = RandomTensor(count, 0.1f, 0.9f);
  const auto summarize = [&](const ImageLayout& out) {
    std::vector<unsigned char> from(ByteSize(layout));
    std::memcpy(from.data(), values.data(), from.size());
    ImageSummary summary = {};
    Copy(from, layout, kPlain, out, &summary);
    ImageSummary alone = {};
    SerialLoop loop;
    EXPECT_TRUE(CopyImage(from.data(), layout, kPlain, loop, nullptr, out, &alone).ok());
    EXPECT_EQ(std::memcmp(&alone, &summary, sizeof alone), 0);
    return summary;
  };
  for (const ImageLayout& out : {layout, ImageLayout{Element::kFloat32, true, 3, 24, 40}}) {
    values = RandomTensor(count, 0.1f, 0.9f);
    double sum = 0;
    for (const float value : values) sum += double{value};
    const ImageSummary plain = summarize(out);
    EXPECT_TRUE(plain.finite);
    EXPECT_EQ(plain.least, *std::min_element(values.begin(), values.end()));
    EXPECT_EQ(plain.greatest, *std::max_element(values.begin(), values.end()));
    EXPECT_NEAR(plain.mean, sum / static_cast<double>(count), 1e-6);
    EXPECT_EQ(plain.outside, 0);
    values[5] = -0.6f;
    values[700] = 200.0f;
    const ImageSummary wide = summarize(out);
    EXPECT_TRUE(wide.finite);
    EXPECT_EQ(wide.least, -0.6f);
    EXPECT_EQ(wide.greatest, 200.0f);
    EXPECT_NEAR(wide.outside, 2.0 / static_cast<double>(count), 1e-12);
    for (const float spoilt : {kNaN, kInfinity, -kInfinity}) {
      for (const size_t place : {size_t{0}, size_t{34}, count - 1}) {
        values = RandomTensor(count, 0.1f, 0.9f);
        values[place] = spoilt;
        const ImageSummary found = summarize(out);
        EXPECT_FALSE(found.finite) << spoilt << " at " << place;
        EXPECT_LE(found.greatest, 0.9f);
        EXPECT_GE(found.least, 0.1f);
        EXPECT_NEAR(found.outside, 1.0 / static_cast<double>(count), 1e-12);
      }
    }
  }
  values.assign(count, kNaN);
  EXPECT_FALSE(summarize(layout).finite);
}

TEST(CopyImage, DoesNotDependOnTheLoop) {
  const ImageLayout in = {Element::kUint8, true, 4, 301, 517};
  const ImageLayout out = {Element::kFloat32, false, 4, 304, 520};
  const std::vector<unsigned char> from = RandomImage(in);
  std::vector<unsigned char> reversed(ByteSize(out) + 1, 0xa5);
  ReverseLoop loop;
  ASSERT_TRUE(CopyImage(from.data(), in, kPlain, loop, reversed.data(), out, nullptr).ok());
  EXPECT_EQ(Copy(from, in, kPlain, out), reversed);
}

TEST(CopyImage, RefusesLayoutsThatNothingHas) {
  const ImageLayout good = {Element::kUint8, true, 3, 2, 2};
  const std::vector<unsigned char> from = RandomImage(good);
  std::vector<unsigned char> to(64, 0xa5);
  const auto refuses = [&](ImageLayout wrong) {
    SerialLoop loop;
    EXPECT_EQ(CopyImage(from.data(), wrong, kPlain, loop, to.data(), good, nullptr).code,
              StatusCode::kInvalidArgument);
    EXPECT_EQ(CopyImage(from.data(), good, kPlain, loop, to.data(), wrong, nullptr).code,
              StatusCode::kInvalidArgument);
  };
  refuses({Element::kUint8, true, 0, 2, 2});
  refuses({Element::kUint8, true, 5, 2, 2});
  refuses({Element::kUint8, true, 3, 0, 2});
  refuses({Element::kUint8, true, 3, 2, 0});
  refuses({Element::kUint8, true, 3, SIZE_MAX / 4, 8});
  ImageSummary summary = {};
  SerialLoop serial;
  EXPECT_EQ(CopyImage(from.data(), good, kPlain, serial, to.data(), good, &summary).code,
            StatusCode::kInvalidArgument);
  EXPECT_EQ(to, std::vector<unsigned char>(64, 0xa5));
}

}  // namespace
}  // namespace tlsc
